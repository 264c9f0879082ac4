// SPDX-License-Identifier: Apache-2.0
import { describe } from '@jest/globals'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser } from 'playwright-core'

const EXECUTABLE = '/usr/bin/chromium'
/** Chromium itself must not speak to the network either: then whatever does is the page. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Takes ML-DSA and ML-KEM away from WebCrypto, as in browsers that never had them. */
export const WITHOUT_POST_QUANTUM = '--disable-blink-features=WebCryptoPQC'

/** `describe` where Debian's Chromium is installed; elsewhere the tests are skipped under a name that says why. */
export function describeInChromium(name: string, tests: () => void): void {
  if (existsSync(EXECUTABLE)) {
    describe(name, tests)
    return
  }
  const skipped = `${name} (skipped: there is no ${EXECUTABLE}; apt-get install chromium)`
  describe.skip(skipped, tests)
  // Jest only counts the tests of a file in which all are skipped.
  process.stderr.write(`${skipped}\n`)
}

/** Starts Chromium. `hosts` are names that it is to find on this machine. */
export async function launch(
  options: { readonly hosts?: readonly string[]; readonly flags?: readonly string[] } = {},
): Promise<Browser> {
  const found = (options.hosts ?? []).map((host) => `MAP ${host} 127.0.0.1`)
  const rules = [...found, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1'].join(',')
  const args = [...ARGUMENTS, `--host-resolver-rules=${rules}`, ...(options.flags ?? [])]
  return chromium.launch({ executablePath: EXECUTABLE, args })
}

/** A folder with one page in it, as somebody who was given the page has it. */
export function saved(html: string): { readonly url: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-page-'))
  const file = join(folder, 'verify.html')
  writeFileSync(file, html)
  return { url: pathToFileURL(file).href, remove: () => rmSync(folder, { recursive: true }) }
}
