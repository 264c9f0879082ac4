// SPDX-License-Identifier: Apache-2.0
import { asInstanceId, type InstanceId } from '#core/bytes/ids.ts'
import { keyRecord } from '#core/registry/build.ts'
import { CAPABILITIES, type InstanceRecord } from '#core/registry/records.ts'
import { getRecord, type RegistryState } from '#core/registry/state.ts'
import type { Institution } from '../../open/institution.ts'
import type { ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { suggestion } from '../../program/near.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { enrolHere } from './enrol-here.ts'
import { withRegistry } from './registry-session.ts'

interface EnrolOptions extends ActingOptions {
  readonly capabilities: readonly string[]
  readonly at?: string
  readonly registry?: string
  readonly name?: string
  readonly reads?: boolean
}

/**
 * Enrols a further app instance of an institution of this machine: its key is made in the institution's key file. With --at
 * this machine itself becomes one, of an institution whose keys are elsewhere.
 */
export async function enrolInstance(call: Call<EnrolOptions>): Promise<number> {
  const { options } = call
  const capabilities = knownCapabilities(options.capabilities)
  if (options.at !== undefined) return enrolHere({ ...call, options: { ...options, capabilities } })
  if (options.registry !== undefined || options.reads === true)
    throw usage(
      '--registry and --reads go with --at: without it the key is made in the key file that is here',
    )
  return withRegistry(call, async ({ institution, state, height, change }) => {
    const given = options.name ?? call.args[0]
    const id = given === undefined ? nextId(institution, state()) : asInstanceId(given)
    const known = getRecord(state(), `instance/${id}`)
    if (known?.kind === 'instance' && known.status === 'active') {
      throw refuse('ALREADY_EXISTS', `the instance ${id} is active already`, 'npx ampere instance list')
    }
    call.screen.stopping.keeps(() => 'Whether the instance was enrolled, npx ampere instance list says.')
    const signer = await institution.keyring.signer(unusedKeyName(institution, id), 'ES256')
    const instance: InstanceRecord = {
      v: 1,
      kind: 'instance',
      id,
      institution: institution.id,
      status: 'active',
      capabilities,
      signing: signer.kid,
    }
    const key = keyRecord(signer.publicKey, 'sign', { institution: institution.id, instance: id })
    await change({ act: 'enrol', instance, key }, (after) => isEnrolled(after, instance))
    call.screen.print({ ok: true, instance: id, kid: signer.kid, capabilities, registryHeight: height() }, [
      `${id} is enrolled (registry block ${height()}), key ${signer.kid.slice(0, 8)}, may ${capabilities.join(', ') || 'nothing beyond what records grant'}.`,
      `Its key is in the key file of ${institution.id}. It acts here when it is the first that is active.`,
      `Undo  npx ampere instance revoke ${id}`,
    ])
    return EXIT.ok
  })
}

/** Sorted and distinct, as the registry wants them. @throws CommanderError (usage) */
function knownCapabilities(names: readonly string[]): InstanceRecord['capabilities'] {
  const unknown = names.find((name) => !CAPABILITIES.some((known) => known === name))
  if (unknown !== undefined) {
    throw usage(`--capabilities are ${CAPABILITIES.join(', ')}${suggestion(unknown, CAPABILITIES)}`)
  }
  return CAPABILITIES.filter((known) => names.includes(known)).toSorted()
}

function isEnrolled(state: RegistryState, { id, signing }: InstanceRecord): boolean {
  const record = getRecord(state, `instance/${id}`)
  return record?.kind === 'instance' && record.signing === signing && record.status === 'active'
}

/** The first of `hospital-a-1`, `hospital-a-2`, ... that the registry does not know. */
function nextId(institution: Institution, state: RegistryState): InstanceId {
  for (let number = 1; ; number++) {
    const id = asInstanceId(`${institution.id}-${number}`)
    if (getRecord(state, `instance/${id}`) === null) return id
  }
}

/** A key belongs to one enrolment for ever, so an instance that is enrolled again gets another. */
function unusedKeyName({ keyring }: Institution, id: InstanceId): string {
  const names = keyring.names()
  for (let number = 1; ; number++) {
    const name = `instance/${id}/${number}`
    if (!names.includes(name)) return name
  }
}
