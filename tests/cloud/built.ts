// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Provider, RoleBundle } from '#infra/bundle/bundle.ts'

/** Where they are written. */
export function builtFolder(provider: Provider): string {
  return join(process.cwd(), 'dist', `test-${provider}`)
}

/**
 * The bundles of a provider, built from the sources as they are and written to a folder of the tests, beside that of whoever deploys
 * at the same time. In a process of its own: the
 * bundler's native part does not take objects of the realm that Jest runs tests in.
 */
export function builtBundles(provider: Provider, folder = builtFolder(provider)): readonly RoleBundle[] {
  const build = new URL('../../infra/bundle/build.ts', import.meta.url).href
  const program = `import { buildBundles } from ${JSON.stringify(build)}
    process.stdout.write(JSON.stringify(await buildBundles(${JSON.stringify(provider)}, ${JSON.stringify(folder)})))`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  return JSON.parse(
    execFileSync(process.execPath, flags, { encoding: 'utf8', maxBuffer: 2 ** 27, stdio: 'pipe' }),
  ) as readonly RoleBundle[]
}

/** What OpenTelemetry adds to a bundle at most, in bytes: it is in files of its own, and loaded only where a collector is named. */
export const MAX_TELEMETRY_BYTES = 120 * 1024

/** Bytes of what can be loaded without a collector: all but what is reached through telemetry's files alone. */
export function bytesWithoutTelemetry({ code }: RoleBundle): number {
  const reached = new Set<string>()
  const visit = (name: string): void => {
    if (reached.has(name) || /^(?:create|otlp)-/.test(name)) return
    reached.add(name)
    for (const [, other = ''] of (code[name] ?? '').matchAll(/["'`]\.\/([\w.-]+\.mjs)["'`]/g)) visit(other)
  }
  visit('index.mjs')
  return [...reached].reduce((sum, name) => sum + Buffer.byteLength(code[name] ?? ''), 0)
}
