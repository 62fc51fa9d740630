import { appendFileSync, writeSync } from 'node:fs';

// Closes the run with one plain line that any CI can read: how many tests ran. At exit, since Jest's own summary comes
// after the reporters' last call. Where several runs are to be added up, TEST_COUNTS names the file that collects them.
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    const file = process.env.TEST_COUNTS;
    if (file) appendFileSync(file, `${results.numPassedTests} ${results.numFailedTests} ${skipped}\n`);
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    process.once('exit', () =>
      writeSync(1, `${results.numPassedTests} passed, ${results.numFailedTests} failed${tail}\n`),
    );
  }
}
