// Closes the run with one plain line that any CI can read: how many tests ran.
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    process.stderr.write(`${results.numPassedTests} passed, ${results.numFailedTests} failed${tail}\n`);
  }
}
