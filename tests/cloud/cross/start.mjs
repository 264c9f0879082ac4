import startAws from '../aws/emulators/start.mjs'
import startAzure from '../azure/emulators/start.mjs'

/** Jest's global setup: the emulators of both clouds; those of AWS are missing, and said to be, where they cannot be installed. */
// oxlint-disable-next-line import/no-default-export
export default async function start() {
  await startAws()
  const children = globalThis.ampereEmulators
  await startAzure()
  globalThis.ampereEmulators.push(...children)
}
