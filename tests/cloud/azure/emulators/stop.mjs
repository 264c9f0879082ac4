// SPDX-License-Identifier: Apache-2.0
/** Jest's global teardown. */
// oxlint-disable-next-line import/no-default-export
export default async function stop() {
  for (const child of globalThis.ampereEmulators ?? []) {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
}
