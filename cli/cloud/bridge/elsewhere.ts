// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Fetch, Now } from '#core/ports/keys.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { actingInstance, type Institution } from '../../open/institution.ts'
import { refuse } from '../../program/refuse.ts'
import { homeFolderOf, readCloudDeployment } from '../cloud-folder.ts'
import { PROVIDERS, type Provider } from '../providers.ts'
import { handOver } from './hand-over.ts'
import { rowsBehind } from './rows-behind.ts'

/** A bridge in a cloud, as it is remembered on this computer. */
export interface RememberedBridge {
  /** Of its deployment, such as `aws-prod`. */
  readonly name: string
  readonly institution: string
  readonly provider: Provider
  /** Null until it was set up. */
  readonly origin: string | null
}

/** Every bridge that was deployed for a home. @param folder the home's own */
export function bridgesOf(folder: string): readonly RememberedBridge[] {
  return deploymentsBeside(folder).flatMap((each) => {
    const known = readCloudDeployment(each)
    if (!known?.bridge || homeFolderOf(each, known.bridge) !== folder) return []
    const { institution, made } = known.bridge
    return [{ name: basename(each), institution, provider: known.provider, origin: made?.origin ?? null }]
  })
}

/** The bridge of an institution that runs elsewhere: where others reach it, and its table. */
export interface Elsewhere {
  readonly origin: string
  readonly table: WriteTable
}

/** How bridges in clouds are reached from here. */
export interface Reaching {
  readonly reach: (provider: Provider, origin: string) => Promise<Fetch>
  readonly now: Now
  readonly say: (line: string) => void
}

/**
 * Finds the bridge that an institution has in a cloud, for a home in a cloud; null for an institution that has none. What was kept for
 * it on this computer before is handed over first: of two indices each would make a record for a patient whom the other knows.
 * @param folder the home's own
 */
export function bridgeElsewhere(
  folder: string,
  { reach, now, say }: Reaching,
): (institution: Institution) => Promise<Elsewhere | null> {
  return async (institution) => {
    const { origin, provider } = theOne(bridgesOf(folder), institution.id) ?? {}
    if (origin == null || provider === undefined) return null
    const signer = actingInstance(institution)
    const table = rowsBehind({ fetch: await reach(provider, origin), origin, signer, now })
    await handOver(institution, table, say)
    return { origin, table }
  }
}

/** @throws AmpereError CONFIGURATION where there are two, of which each has an index of its own */
function theOne(bridges: readonly RememberedBridge[], institution: string): RememberedBridge | undefined {
  const [first, second] = bridges.filter((bridge) => bridge.institution === institution)
  if (!second) return first
  throw refuse(
    'CONFIGURATION',
    `${institution} has two bridges for this home, ${first?.name} and ${second.name}: each has an index of its own`,
    'erase one of them: npx ampere deploy destroy --stage STAGE --erase-data',
  )
}

/** Folders of deployments from the same data folder, this one's among them. */
function deploymentsBeside(folder: string): readonly string[] {
  const beside = dirname(folder)
  return readdirSync(beside)
    .filter(isDeployment)
    .toSorted()
    .map((name) => join(beside, name))
}

/** By its name, the provider and the stage. */
function isDeployment(name: string): boolean {
  return PROVIDERS.some((provider) => name.startsWith(`${provider}-`))
}
