/**
 * The moment everything else is for: what was found. A recovered message is set like the line of print it is; a
 * ruler is drawn. The newest find of each contest is shown, those of this browser first.
 */
import './found.css';
import type { Found as Find } from '../client/snapshot.ts';
import type { Contest, ContestManifest } from '../domain/contest.ts';
import { formatHex } from './format.ts';
import { Ruler } from './ruler.tsx';
import { texts } from './texts.ts';

export function Found({ found, contests }: { found: Find[]; contests: Contest[] }) {
  return (
    <section class="section found" aria-labelledby="found">
      <h2 class="margin" id="found">
        {texts.found}
      </h2>
      <div class="finds">
        {bestOfEach(found).map((find) => (
          <Card
            key={find.contest}
            find={find}
            contest={contests.find(({ manifest }) => manifest.name === find.contest)}
          />
        ))}
      </div>
    </section>
  );
}

function Card({ find, contest }: { find: Find; contest: Contest | undefined }) {
  const { hit, mine } = find;
  return (
    <article class="find" data-found={find.contest} data-mine={mine}>
      <p class="find-contest">
        <span>{contest?.manifest.title ?? find.contest}</span>
        {hit.kind !== 'found' && <span class="stamp">{mine ? texts.byThisBrowser : texts.byAnother}</span>}
      </p>
      {hit.kind === 'rc5' && <Message message={hit.message} hexKey={hit.key} manifest={contest?.manifest} />}
      {hit.kind === 'ogr' && <Ruler marks={hit.marks} proved={contest?.state.closedBy === 'exhausted'} />}
      {hit.kind === 'found' && <p>{texts.keptAnswer(hit.at, hit.by)}</p>}
    </article>
  );
}

interface MessageProps {
  message: string;
  hexKey: string;
  manifest: ContestManifest | undefined;
}

/** RSA's messages all begin with the same words, which everyone knew: they are set small, the discovery large. */
function Message({ message, hexKey, manifest }: MessageProps) {
  const search = manifest?.search;
  const known = search?.kind === 'rc5' && 'knownPlaintext' in search ? search.knownPlaintext : '';
  const begins = known !== '' && message.startsWith(known) && message.length > known.length;
  return (
    <>
      <blockquote class="message" data-testid="found-message">
        {begins && <span class="message-known">{known}</span>}
        <span class="message-new">{begins ? message.slice(known.length) : message}</span>
      </blockquote>
      <dl class="find-facts">
        <div>
          <dt>{texts.key}</dt>
          <dd class="hex">{formatHex(hexKey)}</dd>
        </div>
      </dl>
    </>
  );
}

/** One find a contest: the shortest ruler, or the last message; this browser's own first. */
export function bestOfEach(found: Find[]): Find[] {
  const best = new Map<string, Find>();
  for (const find of found) {
    const other = best.get(find.contest);
    if (other === undefined || length(find) <= length(other)) best.set(find.contest, find);
  }
  return [...best.values()].toReversed().toSorted((a, b) => Number(b.mine) - Number(a.mine));
}

function length({ hit }: Find): number {
  return hit.kind === 'ogr' ? (hit.marks.at(-1) ?? 0) : 0;
}
