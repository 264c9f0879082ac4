// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { DATA_FILES } from '#functions/host/definitions.ts'
import { identitiesOf, type Deploys } from '#infra/permissions/identities.ts'
import { bundleRole, rolesFor, type Provider, type RoleBundle } from './bundle.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Where the bundles of a provider are written: a folder for each role. */
export function bundleFolder(provider: Provider): string {
  return join(ROOT, 'dist', provider)
}

/** What lies beside the code of a role, as files from the root: there and here under other names where it says so. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // What the home says of itself; only one role answers with it.
  discovery: { 'openapi.json': 'docs/api/openapi.json' },
  bridge: sameNames(DATA_FILES),
  checker: sameNames(DATA_FILES),
}

/**
 * Bundles the roles of a deployment into a folder, by default the provider's own; what was there is replaced once all is built.
 * @param deploys all roles that there are by default
 */
export async function buildBundles(
  provider: Provider,
  folder: string = bundleFolder(provider),
  deploys: Deploys = 'both',
): Promise<readonly RoleBundle[]> {
  const wanted = identitiesOf(deploys).map(({ name }) => name)
  const bundles = []
  for (const role of rolesFor(provider).filter((name) => wanted.includes(name)))
    bundles.push(await bundleRole(provider, role))
  const fresh = `${folder}.new`
  rmSync(fresh, { recursive: true, force: true })
  for (const { role, code } of bundles) {
    mkdirSync(join(fresh, role), { recursive: true })
    for (const [name, text] of Object.entries(code)) writeFileSync(join(fresh, role, name), text)
    for (const [name, from] of Object.entries(BESIDE[role] ?? {})) {
      mkdirSync(dirname(join(fresh, role, name)), { recursive: true })
      copyFileSync(join(ROOT, from), join(fresh, role, name))
    }
  }
  rmSync(folder, { recursive: true, force: true })
  renameSync(fresh, folder)
  return bundles
}

function sameNames(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.values(files).map((name) => [name, name]))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const provider = process.argv[2]
  if (provider !== 'aws' && provider !== 'azure') throw new RangeError('usage: build.ts aws|azure')
  for (const { role, bytes, packages } of await buildBundles(provider))
    process.stdout.write(
      `${role.padEnd(10)} ${String(Math.ceil(bytes / 1024)).padStart(5)} KiB  ${packages.length} packages\n`,
    )
}
