/**
 * A team's widget as its operator makes it: the sites that may show it, what was done through each, and what to put into their pages, with
 * a preview that is the widget itself. Loaded when it is asked for.
 */
import './standing.css';
import './embed.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import type { EngineSnapshot } from '../client/snapshot.ts';
import { SiteOrigin } from '../domain/site.ts';
import { Site } from '../protocol/administration.ts';
import { SIZES, type WidgetSize } from '../protocol/embed.ts';
import type { SiteStanding } from '../protocol/standing.ts';
import { embedTexts as t } from './embed-texts.ts';
import { formatCount, formatPoints } from './format.ts';
import { type Admin, Operator, troubleText } from './operator.tsx';
import { standings } from './standings.ts';
import { useAnswer } from './use-answer.ts';

const Sites = Type.Array(Site);

const places = ['corner', 'inline'] as const;
const themes = ['auto', 'light', 'dark'] as const;

interface Look {
  size: WidgetSize;
  place: (typeof places)[number];
  theme: (typeof themes)[number];
  contest: string;
}

export function Embed({ snapshot, name }: { snapshot: EngineSnapshot; name?: string }) {
  const team = name ?? '';
  useEffect(() => {
    document.title = t.documentTitle(team);
  }, [team]);
  const head = (
    <>
      <p class="kind">{t.kind}</p>
      <h1>{team}</h1>
      <p class="lead">{t.lead}</p>
      <p class="list-about">
        <a href={`/teams/${encodeURIComponent(team)}`}>{t.back}</a>
      </p>
    </>
  );
  return (
    <Operator testid="embed" head={head} show={t.show} path="sites" schema={Sites}>
      {(sites, admin) => <OfTeam sites={sites.filter((site) => site.team === team)} {...{ team, admin, snapshot }} />}
    </Operator>
  );
}

function OfTeam({
  sites,
  team,
  admin,
  snapshot,
}: {
  sites: Site[];
  team: string;
  admin: Admin;
  snapshot: EngineSnapshot;
}) {
  const [shown, setShown] = useState('');
  const live = sites.filter(({ revokedAt }) => revokedAt === undefined);
  const site = live.find(({ token }) => token === shown) ?? live.at(-1);
  return (
    <div class="embed">
      <section aria-labelledby="sites">
        <h2 id="sites">{t.sites}</h2>
        {sites.length === 0 ? <p class="muted">{t.none}</p> : <p class="visually-hidden">{t.summary(sites.length)}</p>}
        <ul class="embed-sites">
          {sites.map((one) => (
            <SiteItem key={one.token} site={one} admin={admin} snapshot={snapshot} onShow={() => setShown(one.token)} />
          ))}
        </ul>
        <Origins
          button={t.make}
          onOrigins={async (origins) => {
            const answer = await admin.call(Site, 'POST', 'sites', { team, origins });
            if ('trouble' in answer) return troubleText(answer.trouble);
            setShown(answer.value.token);
            await admin.again();
            return undefined;
          }}
        />
      </section>
      {site !== undefined && <Snippet site={site} snapshot={snapshot} />}
    </div>
  );
}

interface ItemProps {
  site: Site;
  admin: Admin;
  snapshot: EngineSnapshot;
  onShow: () => void;
}

function SiteItem({ site, admin, snapshot, onShow }: ItemProps) {
  const { token, origins, revokedAt } = site;
  const isLive = revokedAt === undefined;
  const [isChanging, setChanging] = useState(false);
  const [fault, setFault] = useState('');
  const ask = (): Promise<SiteStanding> => standings.site(token);
  const { value } = useAnswer<SiteStanding>(
    `site ${token}`,
    ask,
    snapshot.gateway.state === 'reached',
    isLive ? 30_000 : 0,
  );
  const change = async (body: { origins?: string[]; revoked?: boolean }): Promise<string | undefined> => {
    const answer = await admin.call(Site, 'PATCH', `sites/${token}`, body);
    if ('trouble' in answer) return troubleText(answer.trouble);
    setChanging(false);
    await admin.again();
    return undefined;
  };
  return (
    <li data-site={token} data-live={isLive}>
      <p class="embed-origins">
        {origins.map((origin) => (
          <span key={origin}>{origin}</span>
        ))}
      </p>
      {isLive ? (
        <dl class="embed-sums">
          {(['today', 'all'] as const).map((span) => (
            <div key={span} data-span={span} data-points={value?.[span].points}>
              <dt>{t[span]}</dt>
              <dd>
                {value === undefined
                  ? '–'
                  : t.points(formatPoints(value[span].points), formatCount(value[span].blocks))}
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <p class="muted">{t.revoked}</p>
      )}
      <p role="status" class="operator-fault">
        {fault}
      </p>
      {isChanging ? (
        <Origins
          button={t.save}
          given={origins}
          onOrigins={(changed) => change({ origins: changed })}
          onCancel={() => setChanging(false)}
        />
      ) : (
        <p class="embed-acts">
          {isLive && (
            <>
              <button type="button" class="quiet" onClick={onShow}>
                {t.lines}
              </button>
              <button type="button" class="quiet" onClick={() => setChanging(true)}>
                {t.change}
              </button>
            </>
          )}
          <button
            type="button"
            class="quiet"
            onClick={() => void change({ revoked: isLive }).then((said) => setFault(said ?? ''))}
          >
            {isLive ? t.revoke : t.restore}
          </button>
        </p>
      )}
    </li>
  );
}

interface OriginsProps {
  button: string;
  given?: readonly string[];
  /** @returns what was wrong. */
  onOrigins: (origins: string[]) => Promise<string | undefined>;
  onCancel?: () => void;
}

function Origins({ button, given = [], onOrigins, onCancel }: OriginsProps) {
  const [text, setText] = useState(given.join('\n'));
  const [fault, setFault] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const id = `origins-${given[0] ?? 'new'}`;
  return (
    <form
      class="operator-form"
      onSubmit={(event) => {
        event.preventDefault();
        const origins = [...new Set(text.split(/\s+/).filter((one) => one !== ''))].map(plain);
        if (origins.length === 0 || !origins.every((origin) => Check(SiteOrigin, origin))) {
          setFault(t.originsForm);
          field.current?.focus();
          return;
        }
        void onOrigins(origins).then((said) => {
          setFault(said ?? '');
          if (said === undefined && given.length === 0) setText('');
        });
      }}
    >
      <label for={id}>{t.origins}</label>
      <textarea
        ref={field}
        id={id}
        rows={2}
        spellcheck={false}
        autocomplete="off"
        value={text}
        aria-invalid={fault !== ''}
        aria-describedby={`${id}-fault ${id}-hint`}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setFault('');
        }}
      />
      <p id={`${id}-fault`} class="operator-fault" role="status">
        {fault}
      </p>
      <p id={`${id}-hint`} class="muted">
        <small>{t.originsHint}</small>
      </p>
      <p class="embed-acts">
        <button type="submit" class="run">
          {button}
        </button>
        {onCancel !== undefined && (
          <button type="button" class="quiet" onClick={onCancel}>
            {t.cancel}
          </button>
        )}
      </p>
    </form>
  );
}

/** As people copy it out of the address line. */
function plain(origin: string): string {
  return URL.canParse(origin) && new URL(origin).pathname === '/' ? new URL(origin).origin : origin;
}

function Snippet({ site, snapshot }: { site: Site; snapshot: EngineSnapshot }) {
  const [look, setLook] = useState<Look>({ size: 'card', place: 'inline', theme: 'auto', contest: '' });
  const { size, place, theme, contest } = look;
  const [width, height] = SIZES[size];
  const attributes = [
    ['team', site.token],
    ['contest', contest],
    ['size', size === 'badge' ? '' : size],
    ['place', place === 'corner' ? '' : place],
    ['theme', theme === 'auto' ? '' : theme],
  ].filter(([, value]) => value !== '');
  const lines = [
    `<script type="module" src="${location.origin}/widget.js"></script>`,
    `<tabherd-widget ${attributes.map(([name, value]) => `${name}="${value}"`).join(' ')}></tabherd-widget>`,
  ].join('\n');
  const select = <K extends keyof Look>(key: K, label: string, options: readonly (readonly [Look[K], string])[]) => (
    <label>
      <span>{label}</span>
      <select value={look[key]} onChange={({ currentTarget }) => setLook({ ...look, [key]: currentTarget.value })}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <section aria-labelledby="look" class="operator-form embed-look">
      <h2 id="look">{t.look}</h2>
      <p class="embed-origins">
        {site.origins.map((origin) => (
          <span key={origin}>{origin}</span>
        ))}
      </p>
      <div class="embed-choices">
        {select('size', t.size, Object.entries(t.sizes) as [Look['size'], string][])}
        {select('place', t.place, Object.entries(t.places) as [Look['place'], string][])}
        {select('theme', t.theme, Object.entries(t.themes) as [Look['theme'], string][])}
        {select('contest', t.contest, [
          ['', t.anyContest],
          ...snapshot.contests.map(({ manifest }) => [manifest.name, manifest.title] as const),
        ])}
      </div>
      <h3>{t.snippet}</h3>
      <Copied text={lines} testid="snippet" />
      {place === 'inline' && (
        <>
          <h3>{t.style}</h3>
          <Copied
            text={`tabherd-widget { display: block; width: ${width}px; height: ${height}px; max-width: 100%; }`}
            testid="style"
          />
        </>
      )}
      <h3>{t.policy}</h3>
      <Copied text={`script-src ${location.origin}; frame-src ${location.origin}`} testid="policy" />
      <h3>{t.preview}</h3>
      <Preview key={JSON.stringify(look) + site.token} site={site} look={look} />
    </section>
  );
}

function Copied({ text, testid }: { text: string; testid: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="embed-code">
      <pre data-testid={testid} tabIndex={0}>
        {text}
      </pre>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          void navigator.clipboard?.writeText(text).then(() => setCopied(true));
        }}
      >
        {isCopied ? t.copied : t.copy}
      </button>
    </div>
  );
}

/** The widget itself: this page may show any, and a visitor is asked here as well. */
function Preview({ site, look }: { site: Site; look: Look }) {
  const place = useRef<HTMLDivElement>(null);
  const [width, height] = SIZES[look.size];
  useEffect(() => {
    let gone = false;
    const url = `${location.origin}/widget.js`;
    void import(/* @vite-ignore */ url).then(() => {
      if (gone) return;
      const widget = document.createElement('tabherd-widget');
      for (const [name, value] of Object.entries({ ...look, team: site.token, place: 'inline' })) {
        if (value !== '') widget.setAttribute(name, value);
      }
      place.current?.replaceChildren(widget);
    });
    return () => {
      gone = true;
    };
  }, [site.token, look]);
  return (
    <div
      ref={place}
      class="embed-preview"
      data-testid="preview"
      style={{ width: `${width}px`, height: `${height}px` }}
    />
  );
}
