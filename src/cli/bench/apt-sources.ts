/**
 * Debian keeps distributed.net's client in the component `non-free` (Ubuntu in `multiverse`), which few machines have
 * turned on. These make a private copy of a machine's own package sources with that component added; what the sources
 * are is the machine's business. Both forms that apt reads: see sources.list(5).
 */

/** `deb [options] uri suite component…`, a line a source. Sources of source packages are left out. */
export function openOneLine(text: string): string {
  const lines = text.split('\n').flatMap((line) => {
    const found = /^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (found === null) return [];
    const [, options = '', uri, suite, components = ''] = found;
    return [`deb ${options}${uri} ${suite} ${withNonFree(components)}`];
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** Stanzas of fields, as in `debian.sources`. Sources that are turned off are left out, and those without components. */
export function openDeb822(text: string): string {
  const stanzas = text.split(/\n(?:[ \t]*\n)+/).flatMap((stanza) => {
    const lines = stanza.split('\n').filter((line) => !line.startsWith('#') && line.trim() !== '');
    const field = (name: string): string =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim() ?? '';
    const off = /^(no|false|without|off|disable|0)$/i.test(field('enabled'));
    if (off || field('components') === '' || !field('types').split(/\s+/).includes('deb')) return [];
    return [
      lines
        .map((line) => {
          if (/^types:/i.test(line)) return 'Types: deb';
          return /^components:/i.test(line) ? `Components: ${withNonFree(field('components'))}` : line;
        })
        .join('\n'),
    ];
  });
  return stanzas.map((stanza) => `${stanza}\n`).join('\n');
}

function withNonFree(components: string): string {
  const all = components.trim().split(/\s+/);
  const ubuntu = all.some((component) => ['universe', 'restricted', 'multiverse'].includes(component));
  return [...new Set([...all, ubuntu ? 'multiverse' : 'non-free'])].join(' ');
}
