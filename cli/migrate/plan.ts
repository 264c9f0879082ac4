// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { asDeploymentId, type Digest } from '#core/bytes/ids.ts'
import { getRecord, recordsIn, type RegistryState } from '#core/registry/state.ts'
import { makeFolder } from '../deployment/files.ts'
import { readAs } from '../deployment/json-file.ts'
import { nameIn, noteOf, readNote, writeNote, type NamedTarget } from './note.ts'
import { checkFree } from '../deployment/set-up.ts'
import { readPolicy } from '../open/policy.ts'
import type { Settings } from '../deployment/settings.ts'
import { refuse } from '../program/refuse.ts'

/** Says in the new folder what goes on there; it stays, so that the same command can be given again. */
const FILE = 'migration.json'

const schema = v.strictObject({
  v: v.literal(1),
  registry: v.string(),
  from: v.strictObject({ deployment: v.string(), origin: v.string() }),
  deployment: v.string(),
  origin: v.string(),
})

/** Which home becomes which; decided once, because both are signed into the registry. */
export type MigrationPlan = v.InferOutput<typeof schema>

/**
 * The plan of the migration of a home that was begun in a folder; null for a folder in which one may begin.
 * @throws AmpereError ALREADY_EXISTS for a folder with something else, or when it was begun in another one
 */
export function begunPlan(
  folder: string,
  { folder: to, name }: NamedTarget,
  { registry, deployment }: Pick<Settings, 'registry' | 'deployment'>,
): MigrationPlan | null {
  const noted = readNote(folder)
  // A target that was removed is none.
  if (noted && noted.to !== to && existsSync(join(noted.to, FILE)))
    throw refuse(
      'ALREADY_EXISTS',
      `the move of this home into ${nameIn(noted)} was begun, and a home is in one place`,
      `npx ampere migrate --to ${nameIn(noted)}`,
    )
  const begun = readPlan(to)
  if (begun === null) checkFree(to)
  else if (begun.registry !== registry || begun.from.deployment !== deployment)
    throw refuse('ALREADY_EXISTS', `another home is being migrated into ${name}`, 'name another target')
  return begun
}

/**
 * Begins a migration: what the home goes into is made, the folder that is left says where to, the other one what it becomes.
 * @throws AmpereError PORT_IN_USE
 */
export async function beginPlan(
  folder: string,
  target: NamedTarget & { readonly make: (registry: Digest, taken: ReadonlySet<string>) => Promise<string> },
  { registry, deployment, origin }: Settings,
  state: RegistryState,
): Promise<MigrationPlan> {
  const plan: MigrationPlan = {
    v: 1,
    registry,
    from: { deployment, origin },
    deployment: freeName(deployment, state),
    origin: await target.make(registry, takenOrigins(folder, origin, state)),
  }
  writeNote(folder, noteOf(target, false))
  makeFolder(target.folder)
  replaceFile(join(target.folder, FILE), `${JSON.stringify(plan, null, 2)}\n`)
  return plan
}

/** The old home need not be served for its address to be its own, nor does a witness that the new home goes on asking. */
function takenOrigins(folder: string, origin: string, state: RegistryState): ReadonlySet<string> {
  const taken = new Set<string>()
  for (const record of recordsIn(state)) if (record.kind === 'deployment') taken.add(record.origin)
  for (const { url } of readPolicy(folder, origin)?.witnesses ?? [])
    if (url !== null) taken.add(new URL(url).origin)
  return taken
}

function readPlan(to: string): MigrationPlan | null {
  return readAs(join(to, FILE), schema)
}

/** `home-1` becomes `home-2`, or the first after it that the registry does not have. */
function freeName(deployment: string, state: RegistryState): string {
  const [, stem = deployment, number = '1'] = /^(.*?)-?(\d+)$/.exec(deployment) ?? []
  for (let next = Number(number) + 1; ; next++) {
    const name = asDeploymentId(`${stem}-${next}`)
    if (!getRecord(state, `deployment/${name}`)) return name
  }
}
