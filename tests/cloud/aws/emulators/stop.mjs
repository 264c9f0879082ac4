// SPDX-License-Identifier: Apache-2.0

/** Jest's global teardown. */
// oxlint-disable-next-line import/no-default-export
export default async function stop() {
  await Promise.all(
    globalThis.ampereEmulators.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return null
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      return ended
    }),
  )
}
