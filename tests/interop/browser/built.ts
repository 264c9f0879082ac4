// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import type { Bundle, VerifyPage } from '#desktop/verify/build.ts'

/** The page, built from the sources as they are. */
export function builtPage(): VerifyPage {
  return inItsOwnProcess('buildVerifyPage') as VerifyPage
}

/** A script of one entry file and what it imports. */
export function builtBundle(entry: string): Bundle {
  return inItsOwnProcess('bundleForBrowser', entry) as Bundle
}

/** The bundler's native part does not take objects of the realm that Jest runs tests in. */
function inItsOwnProcess(name: string, ...values: readonly string[]): unknown {
  const build = new URL('../../../desktop/verify/build.ts', import.meta.url).href
  const program = `import { ${name} as make } from ${JSON.stringify(build)}
    process.stdout.write(JSON.stringify(await make(...${JSON.stringify(values)})))`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  return JSON.parse(
    execFileSync(process.execPath, flags, { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: 'pipe' }),
  ) as unknown
}
