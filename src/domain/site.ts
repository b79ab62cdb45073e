/** A site that shows the widget for a team: what an operator made for it, and the pages that may embed it. */
import { Type } from 'typebox';

/** Names a site. Not secret: it stands in its pages, and counts for its team only from its origins. */
export const SiteToken = Type.String({ pattern: '^[0-9a-z]{16}$' });

/** As RFC 6454 writes it, such as `https://chess.example` or `http://localhost:8080`. */
export const SiteOrigin = Type.String({
  maxLength: 255,
  pattern:
    '^https?://([0-9a-z]([0-9a-z-]*[0-9a-z])?(\\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*|\\[[0-9a-f:.]+\\])(:[1-9][0-9]{0,4})?$',
});

export const MAX_ORIGINS = 16;
