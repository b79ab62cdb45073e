/**
 * A vitest reporter that ends the run with the plain line CI reads: `N passed, N failed`; before it, what was skipped
 * and why.
 */
import type { Reporter, TestModule } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    const skipped: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        const { state } = result;
        if (state === 'passed') passed += 1;
        if (state === 'failed') failed += 1;
        if (state === 'skipped' && result.note !== undefined)
          skipped.push(`skipped: ${test.fullName}: ${result.note}\n`);
      }
      failed += module.errors().length;
    }
    // After the other reporters' summaries.
    process.on('exit', () => process.stdout.write(`\n${skipped.join('')}${passed} passed, ${failed} failed\n`));
  }
}
