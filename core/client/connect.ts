// SPDX-License-Identifier: Apache-2.0
import type { BlockId, ChainId, CompartmentId } from '../bytes/ids.ts'
import { parseBlock, type ParsedBlock } from '../block/open-block.ts'
import type { Append } from '../api/append.ts'
import { createVerifiers } from '../crypto/signature.ts'
import { AmpereError, brokenRule } from '../errors.ts'
import { createRegistryHistory } from '../registry/history.ts'
import { appendEntries } from './append-entries.ts'
import { checkJudged } from './judged-head.ts'
import type { ClientPorts, FiledEntry, NewEntry, RecordView, SeenHeads } from './client.ts'
import { createHomeApi, type HomeApi } from './home-api.ts'
import { coalesce } from '../order/coalesce.ts'
import { createTreesOf, type TreesOf } from './receipt/rules/trees.ts'
import { openKeyring, type Keyring } from './read/reader-keys.ts'
import { readView, type OpenedView } from './read/read-view.ts'
import { withEvidence } from './convict/heads.ts'
import { earlierStatements, readStatements } from './convict/kept-statements.ts'
import { oddHeadTime } from './convict/shown-head.ts'
import { rememberBlocks } from './read/registry-blocks.ts'
import { readRegistry, syncRegistry, syncReplica, type Replica, type SyncContext } from './read/replica.ts'

/** Everything that one app instance does with one home, beneath the acts in `acts/`. */
export interface Connection {
  readonly ports: ClientPorts
  readonly api: HomeApi
  readonly sync: SyncContext
  /** Trees of the home's log, and of homes that chains left, under the receipts that were judged. */
  readonly treesOf: TreesOf
  /** The verified replica, brought up to date. @throws AmpereError VERIFICATION_FAILED and its kin */
  replica(chain: ChainId): Promise<Replica>
  keyring(replica: Replica): Promise<Keyring>
  /** Submits and checks that the home stored this very block. */
  submit(append: Append): Promise<ParsedBlock>
  /** As `RecordClient` says. */
  append(chain: ChainId, entries: readonly NewEntry[], after?: number): Promise<readonly FiledEntry[]>
  read(chain: ChainId): Promise<RecordView>
}

/** Head statements of our own blocks that are kept until a newer head is seen; mostly that is at once. */
const STATED = 4

interface ChainMemory {
  replica: Replica | null
  /** Head statements that came with our own last blocks. */
  stated: readonly string[]
  /** Brings the replica up to date. */
  readonly sync: () => Promise<Replica>
  /** Batches that this process began; whoever has a turn here knows that they ended. */
  readonly batches: Set<string>
  view: OpenedView | null
  keyring: { seq: number; keyring: Keyring } | null
}

/** Connects one identity to one home. Nothing is asked of the home yet. */
export function connect(ports: ClientPorts): Connection {
  const verifiers = createVerifiers()
  const registry = rememberBlocks(createRegistryHistory(ports.pins.registry, verifiers))
  const api = createHomeApi(ports)
  const refreshRegistry = coalesce(() => readRegistry({ api, registry }))
  const convict: SyncContext['convict'] = (error, statements) => withEvidence(ports, sync, error, statements)
  const { pins, now } = ports
  const sync: SyncContext = { api, pins, registry, verifiers, now, refreshRegistry, convict }
  const memories = new Map<ChainId, ChainMemory>()
  const memoryOf = (chain: ChainId): ChainMemory => {
    const known = memories.get(chain)
    if (known) return known
    const memory = emptyMemory(ports, sync, chain)
    memories.set(chain, memory)
    return memory
  }
  const replica = (chain: ChainId) => memoryOf(chain).sync()
  const keyring = (of: Replica) => keyringFor(ports, api, of, memoryOf(of.chain))
  const submit = (append: Append) => submitChecked(ports, api, append, memoryOf)
  return {
    ports,
    api,
    sync,
    treesOf: createTreesOf(),
    replica,
    keyring,
    submit,
    append: async (chain, entries, after) => {
      const memory = memoryOf(chain)
      const current = memory.replica ?? (await replica(chain))
      if (after !== undefined) checkJudged(ports, current, after, memory.batches)
      const compartmentIds = compartmentsOf(current, await keyring(current))
      const began = (batch: string) => void memory.batches.add(batch)
      const context = { ports, refresh: () => replica(chain), submit, compartmentIds, began }
      return appendEntries(context, current, entries, after)
    },
    read: async (chain) => {
      const current = await replica(chain)
      const memory = memoryOf(chain)
      memory.view = await readView(api, current, await keyring(current), memory.view)
      return memory.view
    },
  }
}

function emptyMemory(ports: ClientPorts, context: SyncContext, chain: ChainId): ChainMemory {
  const memory: ChainMemory = {
    replica: null,
    stated: [],
    sync: coalesce(() => syncMemory(ports, context, chain, memory)),
    batches: new Set(),
    view: null,
    keyring: null,
  }
  return memory
}

async function syncMemory(
  ports: ClientPorts,
  sync: SyncContext,
  chain: ChainId,
  memory: ChainMemory,
): Promise<Replica> {
  if (sync.registry.height() < 0) await syncRegistry(sync)
  // Before the home is asked: what another process sees meanwhile is no rollback.
  const seen = await ports.seen.load(chain)
  const next = await syncReplica(sync, chain, memory.replica, seen)
  try {
    checkSeen(seen, next)
  } catch (error) {
    const statements = [seen?.statement ?? '', next.statement] as const
    throw seen?.statement === undefined ? error : await withEvidence(ports, sync, error, statements)
  }
  await saveSeen(ports.seen, memory.stated, next)
  memory.replica = next
  return next
}

async function saveSeen(seen: SeenHeads, stated: readonly string[], next: Replica): Promise<void> {
  const before = await seen.load(next.chain)
  const { height, block } = next.head
  if ((before?.height ?? -1) >= height) return
  const earlier = earlierStatements(before, stated, next)
  const head = { height, block, statement: next.statement }
  await seen.save(next.chain, earlier.length === 0 ? head : { ...head, earlier })
}

async function keyringFor(
  ports: ClientPorts,
  api: HomeApi,
  of: Replica,
  memory: ChainMemory,
): Promise<Keyring> {
  const { seq } = of.link.state
  // Each control block raises seq, and only control blocks bring packages.
  if (memory.keyring?.seq !== seq) {
    const { items } = await api.packages(of.chain)
    memory.keyring = { seq, keyring: await openKeyring(of, items, ports.identity) }
  }
  return memory.keyring.keyring
}

async function submitChecked(
  { now }: ClientPorts,
  api: HomeApi,
  append: Append,
  memoryOf: (chain: ChainId) => ChainMemory,
): Promise<ParsedBlock> {
  const sent = parseBlock(append.block)
  const askedMs = now()
  const answer = await api.append(append)
  const stored = parseBlock(answer.block)
  if (stored.id !== sent.id) throw new AmpereError('VERIFICATION_FAILED', 'the home stored another block')
  const memory = memoryOf(stored.chain)
  // None for one that is sent again below a newer head; that head is read next, with a statement of its own.
  const asked = { askedMs, cameMs: now() }
  const stated = readStatements([answer.head]).filter(({ head }) => oddHeadTime(head, asked) === null)
  memory.stated = [...memory.stated, ...stated.map(({ statement }) => statement)].slice(-STATED)
  return stored
}

/** Ids of the compartments that the keyring names. */
function compartmentsOf({ link }: Replica, { names }: Keyring): (name: string) => CompartmentId | null {
  const ids = new Map([...names].map(([id, name]) => [name, id]))
  const { purpose, compartments } = link.state
  // An access chain has one compartment, so that those who only write to it need not be told its name.
  const only = purpose === 'access' ? (compartments[0]?.id ?? null) : null
  return (name) => ids.get(name) ?? only
}

/** @throws AmpereError VERIFICATION_FAILED when the home does not show what this installation saw */
function checkSeen(seen: Awaited<ReturnType<ClientPorts['seen']['load']>>, replica: Replica): void {
  if (!seen) return
  const at: BlockId | undefined = replica.notes[seen.height]?.id
  if (at === undefined) {
    throw brokenRule('rolled-back', `height ${seen.height} was seen, ${replica.head.height} is shown`)
  }
  if (at !== seen.block) {
    throw brokenRule('forked', `another block was seen at height ${seen.height}`)
  }
}
