/** The widget's sizes; and what the gateway puts into its frame: so much that nothing has to be fetched before the visitor agrees. */

export type WidgetSize = 'badge' | 'strip' | 'card';

/** CSS pixels. */
export const SIZES: Readonly<Record<WidgetSize, readonly [width: number, height: number]>> = {
  badge: [200, 48],
  strip: [320, 96],
  card: [360, 240],
};

/** Why a frame does no work, in a word for programs. */
export type EmbedRefusal = 'unknown' | 'origin' | 'contest' | 'away';

export type EmbedFacts =
  | {
      site: {
        token: string;
        team: string;
        /** Of the pages that may embed it. */
        origins: string[];
        /** Done by all of the team on this day, UTC's. */
        pointsToday: number;
      };
      /** Works on this one only. */
      only?: string;
      /** What would be searched. */
      contest: { title: string; about: string };
    }
  | { refusal: EmbedRefusal; text: string };

/** The element of the frame's document that has them, as JSON. */
export const FACTS_ID = 'facts';
