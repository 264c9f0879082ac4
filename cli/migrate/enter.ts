// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Signer } from '#core/ports/keys.ts'
import { keyRecord } from '#core/registry/build.ts'
import { getRecord, type RegistryState } from '#core/registry/state.ts'
import type { Founder } from '../cloud/wanted.ts'
import { addChange } from '../commands/instances/registry-session.ts'
import { rootSigner, type Institution } from '../open/institution.ts'
import type { MigrationPlan } from './plan.ts'

/** Who enters a home in a registry. */
export interface Entering {
  readonly connection: Connection
  /** Whose deployments both are. */
  readonly owner: Institution
  /** Whose keys are here, the owner among them. */
  readonly institutions: readonly Institution[]
}

/** Enters the new home in the registry, as a deployment of the institution that has the old one. Done once. */
export async function enterHome(
  { connection, owner }: Entering,
  plan: MigrationPlan,
  head: Signer,
): Promise<void> {
  const id = asDeploymentId(plan.deployment)
  const isDone = (state: RegistryState) => {
    const record = getRecord(state, `deployment/${id}`)
    return record?.kind === 'deployment' && record.origin === plan.origin && record.kid === head.kid
  }
  if (isDone(stateOf(connection))) return
  const deployment = {
    v: 1,
    kind: 'deployment',
    id,
    institution: owner.id,
    origin: plan.origin,
    kid: head.kid,
  } as const
  const key = keyRecord(head.publicKey, 'head', { deployment: id })
  await addChange(connection, owner, { act: 'deploy', deployment, key }, isDone)
}

/**
 * Moves the registry itself to the new home, where members whose keys are here are more than half.
 * @throws AmpereError VIOLATION (majority) where others have to approve
 */
export async function moveRegistry(entering: Entering, plan: MigrationPlan): Promise<void> {
  const { connection, owner, institutions } = entering
  const home = asDeploymentId(plan.deployment)
  const before = getRecord(stateOf(connection), 'rules')
  if (before?.kind !== 'rules') throw new RangeError('a registry has rules')
  if (before.home === home) return
  const approvers = await Promise.all(institutions.map(rootSigner))
  const isDone = (state: RegistryState) => {
    const rules = getRecord(state, 'rules')
    return rules?.kind === 'rules' && rules.home === home
  }
  await addChange(connection, owner, { act: 'rules', rules: { ...before, home } }, isDone, approvers)
}

/** The institutions whose keys are here, as the registry names them; whose home it is first. */
export function founderNames(
  state: RegistryState,
  { owner, institutions }: Pick<Entering, 'owner' | 'institutions'>,
): readonly Founder[] {
  const others = institutions.filter(({ id }) => id !== owner.id)
  return [owner, ...others].map(({ id }) => {
    const record = getRecord(state, `institution/${id}`)
    return { id, name: record?.kind === 'institution' ? record.name : id }
  })
}

export function stateOf({ sync }: Connection): RegistryState {
  const link = sync.registry.link()
  if (!link) throw new RangeError('the registry was read')
  return link.state
}
