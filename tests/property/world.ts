// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId, type ChainId, type CompartmentId, type EntryId } from '#core/bytes/ids.ts'
import { decodeAppend, type Append } from '#core/api/append.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import { makeSigner, ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { recorded, type Recorded } from './dump.ts'

/** An entry as the test filed it. */
export interface Filed {
  readonly text: string
  readonly id: EntryId
  readonly height: number
  readonly compartment: CompartmentId
  readonly epoch: number
  erased: boolean
}

/** What the test knows a grant to say. */
export interface KnownGrant {
  readonly rights: readonly ('append' | 'read')[]
  readonly compartments: readonly CompartmentId[]
  readonly untilMs: number | null
}

/** What must be true of the record, kept by the test from what it asked for and not from what it was answered. */
export interface Model {
  readonly entries: Filed[]
  readonly grants: Map<string, KnownGrant>
  /** Names of the controllers beside hospital-a: the device, once the patient claimed the record. */
  claimed: boolean
  epoch: number
  /** The lowest epoch to which histories lead back from the current one. */
  reachable: number
  /** What each reader was ever given, as `<compartment>/<epoch>`. */
  readonly held: Map<string, Set<string>>
  hold: boolean
  pending: { readonly height: number; readonly entry: Filed; readonly dueMs: number }[]
}

/** One record in a deployment of three hospitals, and everything that was ever accepted. */
export interface Story {
  readonly world: TestDeployment
  readonly store: Recorded
  readonly record: ChainId
  readonly names: readonly { readonly id: CompartmentId; readonly name: string }[]
  readonly a: Connection
  readonly model: Model
  readonly device: { readonly signer: Signer; readonly sealingSeed: Uint8Array }
  /** An instance of hospital-a that is enrolled, and later revoked. */
  readonly spare: { readonly signer: Signer; state: 'unknown' | 'enrolled' | 'revoked' }
  readonly accepted: Append[]
  connection(name: string): Connection
}

/** Begins a record of two compartments, controlled and read by hospital-a alone. */
export async function beginStory(seed: number): Promise<Story> {
  const held: { store?: Recorded } = {}
  const world = await testDeployment(['hospital-a', 'hospital-b', 'hospital-c'], {
    seed,
    platform: (base) => {
      held.store = recorded(base)
      return held.store.platform
    },
  })
  if (!held.store) throw new Error('the platform was not wrapped')
  const accepted: Append[] = []
  const fetch = remembering(world.fetch, accepted)
  const connections = new Map<string, Connection>()
  const connection = (name: string): Connection => {
    const kept = connections.get(name) ?? world.connect(name, { fetch })
    connections.set(name, kept)
    return kept
  }
  const a = connection('hospital-a')
  const home = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
  const { record } = await createRecord(a, home, ['general', 'mental-health'])
  const names = [...(await a.keyring(await a.replica(record))).names].map(([id, name]) => ({ id, name }))
  const all = names.map(({ id }) => id)
  const model: Model = {
    entries: [],
    grants: new Map([['hospital-a', { rights: ['append', 'read'], compartments: all, untilMs: null }]]),
    claimed: false,
    epoch: 1,
    reachable: 1,
    held: new Map(),
    hold: false,
    pending: [],
  }
  const device = { signer: await makeSigner(world.random), sealingSeed: world.random(32) }
  const spare = { signer: await makeSigner(world.random), state: 'unknown' as const }
  const story: Story = {
    world,
    store: held.store,
    record,
    names,
    a,
    model,
    device,
    spare,
    accepted,
    connection,
  }
  hand(story)
  return story
}

/** Gives every reader the keys that are its due after a control block. */
export function hand(story: Story): void {
  const { model } = story
  for (const reader of readers(story)) {
    const held = model.held.get(reader) ?? new Set<string>()
    for (const compartment of readable(story, reader)) {
      for (let epoch = model.reachable; epoch <= model.epoch; epoch++) held.add(`${compartment}/${epoch}`)
    }
    model.held.set(reader, held)
  }
}

/** Readers of the record by the test's own account. */
export function readers(story: Story): readonly string[] {
  const { model, device } = story
  const granted = [...model.grants].filter(([, grant]) => grant.rights.includes('read')).map(([name]) => name)
  return [...new Set(['hospital-a', ...granted, ...(model.claimed ? [device.signer.kid] : [])])]
}

/** The compartments that a reader may open now. */
export function readable(story: Story, reader: string): readonly CompartmentId[] {
  const { model, device, names } = story
  const controls = reader === 'hospital-a' || (model.claimed && reader === device.signer.kid)
  if (controls) return names.map(({ id }) => id)
  const grant = model.grants.get(reader)
  return grant?.rights.includes('read') === true ? grant.compartments : []
}

/** May an institution append to a compartment now? */
export function mayAppend(story: Story, name: string, compartment: CompartmentId): boolean {
  const grant = story.model.grants.get(name)
  if (!grant?.rights.includes('append') || !grant.compartments.includes(compartment)) return false
  return grant.untilMs === null || story.world.clock.now < grant.untilMs
}

/** What a client would send, caught on its way; null when the client itself finds nothing to send. */
export async function caught(
  story: Story,
  name: string,
  act: (connection: Connection) => Promise<unknown>,
): Promise<Append | null> {
  const sent: Append[] = []
  const connection = story.world.connect(name, {
    fetch: async (request) => {
      if (request.method !== 'POST') return story.world.fetch(request)
      sent.push(decodeAppend(new Uint8Array(await request.arrayBuffer())))
      const problem = { code: 'BLOCK_REFUSED', detail: 'caught', retryable: false, requestId: 'x' }
      return Response.json({ type: 'x', title: 'x', status: 422, ...problem }, { status: 422 })
    },
  })
  // It fails here: what it would have sent is all that is wanted.
  await act(connection).catch(() => null)
  return sent[0] ?? null
}

function remembering(fetch: Fetch, accepted: Append[]): Fetch {
  return async (request) => {
    if (request.method !== 'POST' || !request.url.endsWith('/v1/blocks')) return fetch(request)
    const body = new Uint8Array(await request.clone().arrayBuffer())
    const response = await fetch(request)
    if (response.ok) accepted.push(decodeAppend(body))
    return response
  }
}
