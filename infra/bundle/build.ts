// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundleRole, rolesFor, type Provider, type RoleBundle } from './bundle.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Where the bundles of a provider are written: a folder for each role. */
export function bundleFolder(provider: Provider): string {
  return join(ROOT, 'dist', provider)
}

/** Bundles every role of a provider into a folder, by default its own; what was there is replaced once all is built. */
export async function buildBundles(
  provider: Provider,
  folder: string = bundleFolder(provider),
): Promise<readonly RoleBundle[]> {
  const bundles = []
  for (const role of rolesFor(provider)) bundles.push(await bundleRole(provider, role))
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  for (const { role, code } of bundles) {
    mkdirSync(join(fresh, role), { recursive: true })
    for (const [name, text] of Object.entries(code)) writeFileSync(join(fresh, role, name), text)
  }
  // What the home says of itself; only one role answers with it.
  writeFileSync(
    join(fresh, 'discovery', 'openapi.json'),
    readFileSync(join(ROOT, 'docs', 'api', 'openapi.json')),
  )
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
  return bundles
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const provider = process.argv[2]
  if (provider !== 'aws' && provider !== 'azure') throw new RangeError('usage: build.ts aws|azure')
  for (const { role, bytes, packages } of await buildBundles(provider))
    process.stdout.write(
      `${role.padEnd(10)} ${String(Math.ceil(bytes / 1024)).padStart(5)} KiB  ${packages.length} packages\n`,
    )
}
