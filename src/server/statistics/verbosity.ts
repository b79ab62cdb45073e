/**
 * What a keyserver says on its console, in the manner of the personal proxy's `consoleverbosity`: keywords with spaces
 * between them, and `not`, which takes away all that is named after it. `exchanges reports` says these two; `all not exchanges`
 * says everything else; a list that begins with `not` begins from `all`. The default is `all`.
 */

/** What can be said, and when it is. */
export const TOPICS = {
  starts: 'the keyserver begins or opens a contest',
  stops: 'the keyserver ends or closes a contest',
  exchanges: 'a client or a proxy exchanged',
  leases: 'a block was handed out, given back, or ran out',
  reports: 'a report was accepted',
  refusals: 'a report or a request was refused',
  duplicates: 'a report came twice',
  clients: 'clients were not heard of for a day',
  hits: 'an answer was found',
  upstream: 'a proxy spoke with its upstream, or could not',
  stock: "a proxy's stock fell below its low watermark or reached its high one",
  errors: 'something failed',
} as const;
export type Topic = keyof typeof TOPICS;

const topics = Object.keys(TOPICS) as Topic[];

/**
 * Whether a topic is to be said.
 * @throws TypeError a word is no keyword; the message names it and those there are.
 */
export function parseVerbosity(text: string): (topic: Topic) => boolean {
  const words = text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  const said = new Set<Topic>(words.length === 0 || words[0] === 'not' ? topics : []);
  let taking = false;
  for (const word of words) {
    if (word === 'not') {
      taking = true;
      continue;
    }
    // To name nothing is to take away everything.
    const takes = word === 'none' ? !taking : taking;
    const named = word === 'all' || word === 'none' ? topics : [topicOf(word)];
    for (const topic of named) {
      if (takes) said.delete(topic);
      else said.add(topic);
    }
  }
  return (topic) => said.has(topic);
}

function topicOf(word: string): Topic {
  if (Object.hasOwn(TOPICS, word)) return word as Topic;
  throw new TypeError(`there is no verbosity keyword "${word}"; there are: all, none, not, ${topics.join(', ')}`);
}
