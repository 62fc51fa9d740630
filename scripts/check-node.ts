// `npm ci` brings Node 24 along on Linux; elsewhere the user's own Node has to be new enough to run TypeScript sources.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `Specwright needs Node 24 or newer, but this is ${process.version}. Install Node 24, or run "npm ci" without --omit=optional.\n`,
  );
  process.exit(78);
}
