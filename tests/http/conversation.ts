// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type BlockId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { logIdOf, logOriginOf } from '#core/api/log.ts'
import { bridgeStore, signErased } from '#core/api/erased.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { leafLabel, registryLabelKey } from '#core/block/leaf.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { parseNote } from '#core/log/note/note.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import * as audits from '#functions/auditor/operations.ts'
import * as discoveries from '#functions/discovery/operations.ts'
import type { Operation } from '#functions/host/operation.ts'
import * as keeping from '#functions/keeper/operations.ts'
import * as lookups from '#functions/lookup/operations.ts'
import * as holding from '#functions/reader/hold-operations.ts'
import * as reads from '#functions/reader/operations.ts'
import { MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'
import { mirrorChains } from '#core/server/mirror/mirror.ts'
import { MONITOR_NEEDS } from '#core/server/monitor/needs.ts'
import { watchLog } from '#core/server/monitor/watch.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import * as cosigning from '#functions/witness/operations.ts'
import { readJob } from '#functions/worker/operations.ts'
import * as writes from '#functions/writer/operations.ts'
import * as uploads from '#functions/writer/upload-operations.ts'
import { JOBS_RUN, encodeJob, parseJob } from '#core/server/job/row.ts'
import type { UploadAnswer } from '#core/api/large/upload.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { makeSigner, ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { testLog } from '#tests/core/server/witness/test-log.ts'
import { ask, type Asking, type Say } from './ask.ts'
import { sayRegistry } from './registry-words.ts'

/** One request of the conversation and its answer. */
export interface Exchange {
  readonly operation: Operation
  readonly asking: Asking
  readonly status: number
  readonly type: string
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
}

/** A home with a record, and one or more successful exchanges for every operation that it has. */
export interface Conversation {
  readonly world: TestDeployment
  readonly record: ChainId
  readonly exchanges: readonly Exchange[]
}

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

/**
 * Makes a small record with an erased entry and asks everything that can be asked about it.
 * @param served the same home, served in another way than by one process
 */
export async function converse(
  served: (world: TestDeployment) => Promise<TestDeployment> = async (world) => world,
): Promise<Conversation> {
  const world = await served(await testDeployment(['hospital-a', 'hospital-b']))
  const appends: Uint8Array<ArrayBuffer>[] = []
  const { record, erasure } = await makeRecord(world, async (request) => {
    if (request.method === 'POST') appends.push(new Uint8Array(await request.clone().arrayBuffer()))
    return world.fetch(request)
  })
  const exchanges: Exchange[] = []
  const say = async (operation: Operation, asking: Asking = {}): Promise<void> => {
    const answer = await ask(world, operation, asking)
    exchanges.push({
      operation,
      asking,
      status: answer.status,
      type: answer.headers.get('content-type') ?? '',
      headers: answer.headers,
      body: new Uint8Array(await answer.arrayBuffer()),
    })
  }
  await sayDiscovery(world, say)
  await sayWitness(world, say)
  await sayMonitor(world, say)
  await sayRegistry(world, say)
  await say(writes.appendBlock, { body: entriesAppend(appends) })
  const statement = await stateErased(world, record, erasure)
  for (const _ of ['first', 'again'])
    await say(writes.addErased, { path: { chain: record }, body: statement })
  await sayRecord(say, record, entriesAppend(appends))
  await sayCopy(world, say, record)
  await sayReceipts(world, say, record)
  await say(audits.auditChains, { path: { chain: record } })
  await say(audits.auditChains, { path: { chain: 'all' } })
  await say(audits.auditLog, { query: { since: 'last' } })
  await sayUploads(world, say, record)
  await sayJobs(world, say, exchanges)
  return { world, record, exchanges }
}

async function makeRecord(
  world: TestDeployment,
  fetch: Fetch,
): Promise<{ readonly record: ChainId; readonly erasure: BlockId }> {
  const a = world.connect('hospital-a', { fetch })
  const { record } = await createRecord(a, HOME, ['general'])
  const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
  const [first] = await a.append(record, [entry('one'), entry('two')])
  if (!first) throw new RangeError('two entries were filed')
  const device = await makeSigner(world.random)
  const { id, instance } = world.institution('hospital-a')
  const sealing = toBase64url(sealingPublicKey(world.random(32)))
  const members = [
    { kind: 'institution' as const, institution: id },
    { kind: 'device' as const, kid: device.kid, jwk: device.publicKey, sealing },
  ]
  await changeChain(a, record, { controllers: { threshold: 1, members } }, [instance, device])
  const erasure = { scope: 'entries' as const, entries: [first], ground: 'patient-request' as const }
  const request = await requestErasure(a, record, erasure, { patient: [device] })
  const { id: completed } = await settleErasure(a, record, request.block.height, 'complete')
  const rights = ['append', 'hold', 'read'] as const
  await shareRecord(a, record, { institution: id, rights: [...rights] }, [instance, device])
  return { record, erasure: completed }
}

/** What hospital A's bridge says once it has nothing left of what was erased. */
async function stateErased(
  world: TestDeployment,
  chain: ChainId,
  block: BlockId,
): Promise<Uint8Array<ArrayBuffer>> {
  const { id, instance } = world.institution('hospital-a')
  const at = toTimestamp(world.clock.now)
  return utf8(
    await signErased({ v: 1, chain, block, store: bridgeStore(id), at, backupsExpire: at }, instance),
  )
}

/** The first append that brought entries; sent again it is answered as before. */
function entriesAppend(appends: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const found = appends.find((body) => parseBlock(headOf(body).block).block.entries !== null)
  if (!found) throw new RangeError('no append brought entries')
  return found
}

/** The JSON head of an append. */
export function headOf(append: Uint8Array): { readonly block: string } & Readonly<Record<string, unknown>> {
  const length = new DataView(append.buffer, append.byteOffset).getUint32(0)
  return JSON.parse(fromUtf8(append.subarray(4, 4 + length))) as { block: string }
}

/** What is said of the home, and its log, with all that there is to log. */
async function sayDiscovery(world: TestDeployment, say: Say): Promise<void> {
  await world.tendLog()
  const { readLogFile, ...others } = discoveries
  for (const operation of Object.values(others)) await say(operation)
  const note = await (await ask(world, discoveries.readCheckpoint)).text()
  const { size } = parseCheckpoint(parseNote(note).text)
  await say(readLogFile, { path: { tile: `0/000.p/${size}` } })
  await say(readLogFile, { path: { tile: `entries/000.p/${size}` } })
}

/** A log of somebody else is cosigned, and then cosigned anew, which can be asked for again and again. */
async function sayWitness(world: TestDeployment, say: Say): Promise<void> {
  const log = await testLog()
  await addLog(await select(world.platform, WITNESS_NEEDS), log.origin, log.keys)
  await ask(world, cosigning.addCheckpoint, { body: utf8(await log.request(0, 5)) })
  await say(cosigning.addCheckpoint, { body: utf8(await log.request(5, 5)) })
  await say(cosigning.readCosigned, { path: { log: logIdOf(log.origin) } })
  await say(cosigning.listContradictions, { path: { log: logIdOf(log.origin) } })
}

/** The home monitors a log: its own, because that is at hand. */
async function sayMonitor(world: TestDeployment, say: Say): Promise<void> {
  const ports = await select(world.platform, MONITOR_NEEDS)
  const logs = (await logKeysOf(world.platform)).map((key) => ({ key, url: null }))
  const origin = logOriginOf(ORIGIN)
  const policy = { logs, witnesses: [], groups: [], quorum: null }
  const monitor = { verifiers: world.home.verifiers, deadline: () => new AbortController().signal }
  await watchLog({ ...ports, fetch: world.fetch }, monitor, { origin, url: `${ORIGIN}/log`, policy })
  const log = logIdOf(origin)
  const label = toBase64url(leafLabel(registryLabelKey(world.registryId), world.registryId, 0))
  await say(lookups.lookUpLabel, { path: { log, label } })
  for (const one of [lookups.readMonitored, lookups.listFindings]) await say(one, { path: { log } })
}

/** An object is offered and put where it was offered, twice. */
async function sayUploads(world: TestDeployment, say: Say, chain: ChainId): Promise<void> {
  const object = utf8('what is sealed looks like noise, and has some megabytes')
  const asking = { body: utf8(JSON.stringify({ chain, bytes: object.length, sha256: digestOf(object) })) }
  const { url } = (await (await ask(world, uploads.offerUpload, asking)).json()) as UploadAnswer
  const { pathname, searchParams } = new URL(url)
  const upload = pathname.split('/').at(-1) ?? ''
  await say(uploads.offerUpload, asking)
  for (const _ of ['first', 'again'])
    await say(uploads.putUpload, { path: { upload }, query: Object.fromEntries(searchParams), body: object })
}

/** A job that is asked for until it is over, and one at which somebody is. */
async function sayJobs(world: TestDeployment, say: Say, said: readonly Exchange[]): Promise<void> {
  const headers = { prefer: 'respond-async' }
  const begun = () => said.at(-1)?.headers.get('location')?.split('/').at(-1) ?? ''
  await say(audits.auditLog, { headers })
  await say(readJob, { path: { id: begun() } })
  await say(audits.auditChains, { path: { chain: 'all' }, headers })
  const jobs = world.platform.table('jobs')
  const [row] = (await jobs.range(JOBS_RUN)).filter(({ key }) => key.endsWith(`/${begun()}`))
  if (!row) throw new RangeError('no job was begun')
  const leased = {
    ...parseJob(row.value),
    state: 'running' as const,
    leasedUntilMs: world.clock.now + 30_000,
  }
  await jobs.swap(JOBS_RUN, row.key, row.version, encodeJob(leased))
  await say(readJob, { path: { id: leased.id } })
}

async function sayReceipts(world: TestDeployment, say: Say, chain: ChainId): Promise<void> {
  const { notes } = await world.connect('hospital-a').replica(chain)
  await say(reads.readReceipt, { path: { block: notes[1]?.id ?? '' }, query: { chain, height: 1 } })
  await say(reads.readRegistryReceipt, { path: { height: '0' } })
}

async function sayRecord(say: Say, chain: ChainId, append: Uint8Array): Promise<void> {
  const entries = parseBlock(headOf(append).block).block.entries
  const [root, keys] = [entries?.root ?? '', entries?.keys ?? ''] as [Digest, Digest]
  await say(reads.readHead, { path: { chain } })
  await say(reads.readBlocks, { path: { chain }, query: { from: 2, limit: 1 } })
  await say(reads.readKeyRow, { path: { chain, name: `${root}.${keys}` } })
  await say(reads.readObject, { path: { chain, root } })
  await say(reads.readObject, { path: { chain, root }, headers: { range: 'bytes=0-99' } })
  await say(reads.readPackages, { path: { chain } })
  await say(reads.readErased, { path: { chain } })
  await say(holding.listHeld)
  await say(holding.readBlockKeys, { path: { chain, height: '1' } })
  await say(holding.readWitnessed)
  await say(holding.readMoved, { path: { chain } })
}

/** The home mirrors a home: itself, because that is at hand, under the name of the one that tests ask for. */
async function sayCopy(world: TestDeployment, say: Say, chain: ChainId): Promise<void> {
  const { platform, home, registryId } = world
  const { id: institution, instance } = world.institution('hospital-a')
  const ports = await select(platform, { ...MIRROR_NEEDS, keys: { head: 'sign' } })
  const { deployment, verifiers } = home
  const pins = { deployment, registry: registryId, logKeys: await logKeysOf(platform), verifiers }
  await world.tendLog()
  await mirrorChains(
    { ...ports, fetch: world.fetch, keys: { ...ports.keys, instance } },
    { ...pins, policy: null, origin: ORIGIN, own: ORIGIN, institution, backupDays: 0 },
    () => new AbortController().signal,
  )
  const { notes } = await world.connect('hospital-a').replica(chain)
  const entries = notes.find((note) => note.entries !== null)?.entries
  const [root, keys] = [entries?.root ?? '', entries?.keys ?? '']
  const path = { deployment, chain }
  await say(keeping.readMirrored, { path: { chain } })
  await say(keeping.listCopies)
  await say(keeping.readCopy, { path })
  await say(keeping.readCopiedRegistry, { path, query: { from: 1 } })
  await say(keeping.listCopied, { path })
  await say(keeping.readCopiedBlocks, { path, query: { from: 2 } })
  await say(keeping.readCopiedRow, { path: { ...path, name: `${root}.${keys}` } })
  await say(keeping.readCopiedObject, { path: { ...path, root } })
  await say(keeping.readCopiedObject, { path: { ...path, root }, headers: { range: 'bytes=0-99' } })
  await say(keeping.readCopiedKeys, { path: { ...path, height: '1' } })
  await say(keeping.readCopiedErased, { path })
  await say(keeping.readCopiedWitnessed, { path })
  await say(keeping.readCopiedMoved, { path })
  await say(keeping.readCopiedLog, { path: { ...path, file: 'checkpoint' } })
}
