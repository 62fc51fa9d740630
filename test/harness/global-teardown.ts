/** Stops the server of the run; if the run is killed instead, its watchdog does. */
export default async function tearDown(): Promise<void> {
  await globalThis.testServer?.stop();
}
