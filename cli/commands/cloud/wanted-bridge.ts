// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Deploys } from '#infra/permissions/identities.ts'
import { bridgesOf } from '../../cloud/bridge/elsewhere.ts'
import {
  homeFolderOf,
  readCloudDeployment,
  type CloudBridge,
  type CloudDeployment,
} from '../../cloud/cloud-folder.ts'
import { PROVIDERS } from '../../cloud/providers.ts'
import type { NamedInstitution } from '../../program/arguments.ts'
import { refuse, usage } from '../../program/refuse.ts'

/** What is asked for of a deployment's role. */
export interface RoleOptions {
  readonly stage: string
  /** As it was deployed where it is left out, and a home at first. */
  readonly role?: Deploys
  /** Of a bridge alone: the deployment whose home it uses. */
  readonly home?: string
  readonly institution?: readonly NamedInstitution[]
}

/** What a deployment is to be, and whose bridge it has. */
export interface WantedRole {
  readonly deploys: Deploys
  readonly institutions: CloudDeployment['institutions']
  readonly bridge: CloudBridge | null
}

/**
 * The role of a deployment: what it was stays, but a home may be given a bridge.
 * @param folder the deployment's own
 * @throws AmpereError ALREADY_EXISTS, NOT_FOUND; CommanderError (usage)
 */
export function wantedRole(folder: string, known: CloudDeployment | null, options: RoleOptions): WantedRole {
  const was = known ? (known.parameters['deploys'] ?? 'home') : null
  const deploys = options.role ?? ((was ?? 'home') as Deploys)
  if (was !== null && was !== deploys && !(was === 'home' && deploys === 'both'))
    throw refuse(
      'ALREADY_EXISTS',
      `this stage is deployed as ${was}`,
      `leave out --role, or give another --stage`,
    )
  if (deploys !== 'bridge' && options.home !== undefined)
    throw usage('--home is for a bridge alone: with --role both the bridge uses the home beside it')
  const role =
    deploys === 'bridge' ? bridgeAlone(folder, known, options) : besideHome(deploys, known, options)
  if (role.bridge) checkIsOnly(folder, role.bridge)
  return role
}

/** Each bridge has an index of its own: with two an institution would get two records for one patient. @throws AmpereError ALREADY_EXISTS */
function checkIsOnly(folder: string, bridge: CloudBridge): void {
  const home = homeFolderOf(folder, bridge)
  const other = (existsSync(dirname(home)) ? bridgesOf(home) : []).find(
    ({ name, institution }) => institution === bridge.institution && name !== basename(folder),
  )
  if (!other) return
  throw refuse(
    'ALREADY_EXISTS',
    `${bridge.institution} has a bridge for this home already: ${other.name}`,
    `npx ampere deploy status --stage ${other.name.slice(other.provider.length + 1)} --provider ${other.provider}`,
  )
}

function besideHome(
  deploys: 'home' | 'both',
  known: CloudDeployment | null,
  { institution }: RoleOptions,
): WantedRole {
  const institutions = institution ?? known?.institutions ?? []
  const [first] = institutions
  if (!first)
    throw usage('a new deployment needs its founders: --institution ID=NAME, the first runs the home')
  const bridge =
    deploys === 'both' ? (known?.bridge ?? { institution: first.id, uses: null, made: null }) : null
  return { deploys, institutions: plain(institutions), bridge }
}

function bridgeAlone(folder: string, known: CloudDeployment | null, options: RoleOptions): WantedRole {
  const { home, institution } = options
  const uses = home ?? known?.bridge?.uses ?? null
  if (uses === null || !PROVIDERS.some((provider) => uses.startsWith(`${provider}-`)))
    throw usage('a bridge needs its home: --home, the provider and the stage, such as aws-prod')
  if (known?.bridge && known.bridge.uses !== uses)
    throw refuse('ALREADY_EXISTS', `this bridge uses ${known.bridge.uses}`, 'give another --stage')
  const used = readCloudDeployment(homeFolderOf(folder, { uses }))
  if (!used?.home)
    throw refuse(
      'NOT_FOUND',
      `no home was deployed as ${uses} from this data folder`,
      `npx ampere deploy ${uses.replace('-', ' --stage ')}`,
    )
  const [named, ...more] = institution ?? known?.institutions ?? []
  if (!named || more.length > 0) throw usage('a bridge is of one institution: --institution ID=NAME')
  if (known?.bridge && known.bridge.institution !== named.id)
    throw refuse('ALREADY_EXISTS', `this bridge is of ${known.bridge.institution}`, 'give another --stage')
  const member = used.institutions.find(({ id }) => id === named.id)
  if (!member)
    throw refuse(
      'NOT_FOUND',
      `${uses} has no keys of ${named.id}: its institutions are ${used.institutions.map(({ id }) => id).join(', ')}`,
      'give one of them',
    )
  const bridge = known?.bridge ?? { institution: named.id, uses, made: null }
  return { deploys: 'bridge', institutions: plain([member]), bridge }
}

function plain(institutions: readonly NamedInstitution[]): CloudDeployment['institutions'] {
  return institutions.map(({ id, name }) => ({ id, name }))
}
