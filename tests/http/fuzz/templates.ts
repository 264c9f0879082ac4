// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { parseJws } from '#core/block/jws.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure } from '#core/client/acts/erase-entries.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { buildChange } from '#core/registry/build.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { problemResponse } from '#functions/host/problem.ts'
import { instanceRecords, makeSigner, ORIGIN } from '#tests/deployment.ts'
import { headOf, type Conversation } from '../conversation.ts'

/** An append that would be accepted, taken apart; it was not sent. */
export interface Template {
  readonly head: { readonly block: string; readonly row: string | null }
  readonly object: Uint8Array<ArrayBuffer>
  readonly payload: unknown
  readonly signer: Signer
}

/** One append of every kind that a client makes, for the record as it is now. */
export async function captureAppends({ world, record }: Conversation): Promise<readonly Template[]> {
  const { id, instance, second } = world.institution('hospital-a')
  const b = world.institution('hospital-b').id
  let caught: Uint8Array<ArrayBuffer> | null = null
  const fetch: Fetch = async (request) => {
    if (request.method !== 'POST') return world.fetch(request)
    caught ??= new Uint8Array(await request.arrayBuffer())
    return problemResponse(new AmpereError('FORBIDDEN', 'not sent'), 'r_none')
  }
  const templates: Template[] = []
  const connection = world.connect('hospital-a', { fetch })
  const { state } = (await connection.replica(record)).link
  const compartments = state.compartments.map((item) => item.id)
  const grant = { institution: b, rights: ['read' as const], compartments, until: null, limits: null }
  const entry = { header: utf8('{}'), content: utf8('three'), compartment: 'general' }
  const erasure = { scope: 'record' as const, entries: [], ground: 'patient-request' as const }
  const controllers = { threshold: 1, members: [{ kind: 'institution' as const, institution: id }] }
  const acts = [
    () => connection.append(record, [entry]),
    () => changeChain(connection, record, { grant: [grant] }),
    () => changeChain(connection, record, { controllers }),
    () => rotateChain(connection, record),
    () => requestErasure(connection, record, erasure, { instances: [instance, second] }),
    () => createRecord(connection, { deployment: asDeploymentId('home-1'), origin: ORIGIN }, ['general']),
  ]
  for (const act of acts) {
    caught = null
    await act().catch((error: unknown) => {
      if (!isAmpereError(error, 'FORBIDDEN')) throw error
    })
    if (caught) templates.push(takeApart(caught, instance))
  }
  if (templates.length !== acts.length) throw new RangeError('an act sent nothing')
  return templates
}

function takeApart(body: Uint8Array<ArrayBuffer>, signer: Signer): Template {
  const head = headOf(body) as unknown as Template['head']
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0)
  const jws = parseJws(head.block, 'ampere-block+jws')
  if (jws.kid !== signer.kid) throw new RangeError('another key signed this')
  return { head, object: body.slice(4 + length), payload: jws.payload, signer }
}

/** Registry blocks that would be accepted now, and who signs them: one by an institution alone, one by all. */
export async function captureRegistryBlocks({
  world,
}: Conversation): Promise<readonly { readonly payload: unknown; readonly signer: Signer }[]> {
  const link = (await world.home.registry.refresh()).link()
  if (!link) throw new RangeError('the registry is empty')
  const [a, b] = [world.institution('hospital-a'), world.institution('hospital-b')]
  const id = `hospital-b-${link.place.height + 10}`
  const enrolled = instanceRecords(id, b.id, await makeSigner(world.random), ['control'])
  const rules = { v: 1 as const, kind: 'rules' as const, home: asDeploymentId('home-1'), demo: true }
  const ports = { now: () => world.clock.now, random: world.random }
  const change = (changes: readonly RegistryChange[], approvers: readonly Signer[]) =>
    buildChange(ports, link, changes, b.root, approvers)
  const blocks = [
    await change([{ act: 'enrol', ...enrolled }], []),
    await change([{ act: 'rules', rules }], [a.root, b.root]),
  ]
  return blocks.map((block) => ({ payload: parseJws(block, 'ampere-registry+jws').payload, signer: b.root }))
}

/** Takes an accepted block out of the store again, so that what follows it can be sent once more. */
export async function takeBack({ world }: Conversation, compact: string): Promise<void> {
  const { chain, block } = parseBlock(compact)
  const blocks = world.platform.table('blocks')
  const row = await blocks.get(chain, heightKey(block.height))
  await blocks.swap(chain, heightKey(block.height), row?.version ?? null, null)
}
