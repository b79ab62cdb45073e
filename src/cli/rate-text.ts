/** `25.1 Mkeys/s`, `96.0 Mnodes/s`. */
export function rateText(perSecond: number, step: 'keys' | 'nodes'): string {
  return `${(perSecond / 1e6).toFixed(1)} M${step}/s`;
}
