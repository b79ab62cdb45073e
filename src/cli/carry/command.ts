/** `tabherd export` and `tabherd import`: buffers carried by hand; what is in the files is told in `protocol/buffers-file.ts`. */
import { Command, Option } from 'commander';
import { Value } from 'typebox/value';
import { ClientId } from '../../domain/client.ts';
import { FIRST_WISH_UNITS, type ReportsFile, type Wish } from '../../protocol/buffers-file.ts';
import { answer, checkWishes, handOut } from '../../server/carry/answer.ts';
import { isKeyId } from '../../server/proof/key.ts';
import { checkTarget, readBuffers, writeBuffers } from './disk.ts';
import { openPlace, type Place, type PlaceOptions } from './place.ts';
import { blocksText, counted, printable, reportsText, sumsOf, verdictsText, whoText, wishText } from './words.ts';

interface Options extends PlaceOptions {
  units?: number;
  contests?: string[];
}

const PROGRESS_EVERY_MS = 5000;

type Whole = (least: number, most: number) => (text: string) => number;

const ROUND_TRIP = `
One round trip of a stick between an offline proxy and its keyserver:
  offline:    tabherd export /stick/up --data DATA
  connected:  tabherd import /stick/up --data DATA         writes /stick/up.answer
  offline:    tabherd import /stick/up.answer --data DATA

DATA is the data folder of a keyserver that does not run. One that runs has its data folder to itself: there give its
address, --at URL, and its administration token. For a single client without a network DATA is the file that
tabherd crunch --offline works on; what it hands in at a keyserver --at URL needs no token.

A file may be imported twice, late, or in any order. Reports are kept until their verdicts have come back.`;

export function exportCommand(version: string, whole: Whole): Command {
  const command = new Command('export')
    .description('write buffers to a file that is carried by hand: reports to a keyserver, or blocks from one')
    .argument('<file>', 'where to write it')
    .option('--for <id>', 'hand out blocks, for the proxy or client of this identity, instead of its reports');
  return withPlace(command, whole)
    .addHelpText('after', ROUND_TRIP)
    .action((file: string, options: Options & { for?: string }) =>
      inPlace(options, version, (place) =>
        options.for === undefined
          ? exportReports(file, place, options)
          : exportBlocks(file, place, options.for, options, version),
      ),
    );
}

export function importCommand(version: string, whole: Whole): Command {
  const command = new Command('import')
    .description('take buffers from a file that was carried by hand, and write the answer to carry back')
    .argument('<file>', 'what tabherd export wrote, or tabherd import as the answer')
    .option('--answer <file>', 'where to write the answer: verdicts and new blocks (default: the file with .answer)');
  return withPlace(command, whole)
    .addHelpText('after', ROUND_TRIP)
    .action(async (path: string, options: Options & { answer?: string }) => {
      const file = await readBuffers(path);
      await inPlace(options, version, async (place) => {
        if (file.kind === 'reports') return importReports(file, options.answer ?? `${path}.answer`, place, options);
        if (place.carrier === undefined) throw new Error(`${path} holds blocks for a proxy, and this is a keymaster`);
        const { blocks, known, over } = await place.carrier.take(file);
        say(`${capital(blocksText(blocks))} taken.`);
        if (known > 0) say(`${known} were here before.`);
        if (over > 0) say(`${over} are of no use any more: their time is over, or they were given anew.`);
        if (file.verdicts.length > 0) say(`Verdicts of ${verdictsText(file.verdicts)}.`);
        for (const message of file.messages) say(`Message from the keyserver: ${printable(message)}`);
      });
    });
}

function withPlace(command: Command, whole: Whole): Command {
  return command
    .addOption(
      new Option('-d, --data <path>', 'data folder of a keyserver that does not run, or data file of tabherd crunch')
        .default('data')
        .env('TABHERD_DATA_DIR'),
    )
    .option('--at <url>', 'address of a keyserver that runs, instead of --data')
    .addOption(new Option('--token <token>', 'its administration token; others can see it').env('TABHERD_ADMIN_TOKEN'))
    .addOption(new Option('--token-file <file>', 'a file with nothing but the token').env('TABHERD_ADMIN_TOKEN_FILE'))
    .option('-u, --units <number>', 'how many units to carry to the offline machine', whole(1, Number.MAX_SAFE_INTEGER))
    .option('-c, --contests <name...>', 'of these contests, in this order (default: the first that has some)');
}

async function inPlace(options: Options, version: string, work: (place: Place) => Promise<void>): Promise<void> {
  const place = await openPlace(options, version);
  try {
    await work(place);
  } finally {
    await place.close();
  }
}

/** Undefined where the person has left it to the machine. */
function wishOf({ units, contests }: Options): Wish[] | undefined {
  if (units === undefined && contests === undefined) return undefined;
  return [{ units: units ?? FIRST_WISH_UNITS, ...(contests === undefined ? {} : { contests }) }];
}

async function exportReports(path: string, { carrier }: Place, options: Options): Promise<void> {
  if (carrier === undefined) throw new Error('a keymaster has nobody to report to; for blocks say for whom: --for ID');
  await checkTarget(path);
  const file = await carrier.handUp(wishOf(options));
  await writeBuffers(path, file);
  say(`${capital(reportsText(file))} in ${path}; it asks for ${wishText(file.want)}.`);
  say(`Its identity: ${file.client.id}`);
  say(`At the keyserver: tabherd import ${path}`);
}

async function exportBlocks(path: string, place: Place, id: string, options: Options, version: string): Promise<void> {
  if (place.keyserverFor === undefined) throw new Error('a client has no blocks to hand out: --for is for keyservers');
  const isId: boolean = Value.Check(ClientId, id);
  if (!isId) {
    const where = "a proxy prints its own when it starts, tabherd export shows a client's";
    throw new Error(`--for: ${id} is no identity: ${where}`);
  }
  await checkTarget(path);
  const keyserver = place.keyserverFor(id);
  const want = wishOf(options) ?? [{ units: FIRST_WISH_UNITS }];
  await checkWishes(keyserver, want);
  const file = await handOut(keyserver, id, want, version);
  await writeBuffers(path, file);
  const who = whoText({ id, class: isKeyId(id) ? 'proxy' : 'terminal' });
  say(`${capital(blocksText(sumsOf(file.leases)))} for ${who} in ${path}.`);
  say(`There: tabherd import ${path}`);
}

async function importReports(file: ReportsFile, path: string, place: Place, options: Options): Promise<void> {
  const { client } = file;
  if (place.keyserverFor === undefined) throw new Error('these are reports: they go to a keyserver, not to a client');
  await checkTarget(path);
  const keyserver = place.keyserverFor(client.id);
  const wish = wishOf(options);
  if (wish !== undefined) await checkWishes(keyserver, wish);
  let saidAt = Date.now();
  const reply = await answer(keyserver, { ...file, want: wish ?? file.want }, (count) => {
    if (Date.now() - saidAt < PROGRESS_EVERY_MS) return;
    saidAt = Date.now();
    say(`${count} of ${counted(file.reports.length, 'report')} handed in …`);
  });
  await writeBuffers(path, reply);
  say(`From ${whoText(client)}: ${verdictsText(reply.verdicts)}.`);
  say(`For it, in ${path}: the verdicts and ${blocksText(sumsOf(reply.leases))}.`);
  say(`There: tabherd import ${path}`);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
