import { writeSync } from 'node:fs';

// Closes the run with one plain line that any CI can read: how many tests ran. At exit, since Jest's own summary comes
// after the reporters' last call.
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    process.once('exit', () =>
      writeSync(1, `${results.numPassedTests} passed, ${results.numFailedTests} failed${tail}\n`),
    );
  }
}
