// SPDX-License-Identifier: Apache-2.0
import type { BlockId, ChainId, CompartmentId, Digest, EntryId, InstitutionId } from '../bytes/ids.ts'
import type { Timestamp } from '../bytes/timestamp.ts'
import type { EraseBlock, RegistryHead } from '../block/block.ts'
import type { Fetch, Now, Random, Signer } from '../ports/keys.ts'
import type { Policy } from '../log/policy/policy.ts'
import type { Deadline } from '../order/deadline.ts'

/** What an installation trusts before it asks anyone: nothing in an answer can choose its own judge. */
export interface Pins {
  /** Id of the registry: the id of its genesis block. */
  readonly registry: Digest
  /** Origin of the home, for example `http://127.0.0.1:7310`. */
  readonly origin: string
  /** Logs and witnesses to trust (c2sp.org/tlog-policy); null judges no receipt. */
  readonly policy: Policy | null
  /** Who is asked whether the home holds back the end of a record; null asks nobody. */
  readonly monitors: Monitors | null
}

/** Deployments of the same registry that monitor the home's log. */
export interface Monitors {
  /** Their origins; the home's own does not count. */
  readonly origins: readonly string[]
  /** How many of them must say that there is no more, 1 or more. */
  readonly need: number
}

/** Who this app instance is. */
export interface Identity {
  /** Name under which it holds epoch packages: its institution's id, or a device's key id. */
  readonly reader: string
  readonly institution: InstitutionId | null
  readonly signer: Signer
  /** The 32-byte seed of its sealing key, unwrapped into memory on first use. */
  readonly sealingSeed: () => Promise<Uint8Array>
}

/** The newest head that this installation saw of each chain: what makes a rollback visible after a restart. */
export interface SeenHeads {
  load(chain: ChainId): Promise<SeenHead | null>
  save(chain: ChainId, head: SeenHead): Promise<void>
}

/** A head that was seen, and the statement in which its home signed it, which convicts a home that denies it later. */
export interface SeenHead {
  readonly height: number
  readonly block: BlockId
  readonly statement?: string
  /** Statements of lower heads, in order of height: few, of blocks that may not have been logged. */
  readonly earlier?: readonly string[]
}

/** Keeps an evidence file (docs/PROTOCOL.md, Evidence) and says under which name. Of one conflict one file is kept. */
export type EvidenceSink = (evidence: Uint8Array) => Promise<string>

/** What the client needs from outside. */
export interface ClientPorts {
  readonly fetch: Fetch
  /** Reaches monitors, where `fetch` reaches the home only; `fetch` where it is left out. */
  readonly outside?: Fetch
  readonly now: Now
  readonly random: Random
  readonly identity: Identity
  readonly pins: Pins
  readonly seen: SeenHeads
  /** Where evidence against the home goes; none is made where it is left out. */
  readonly evidence?: EvidenceSink
  /** Ends calls that take too long; `AbortSignal.timeout` where it is left out. */
  readonly deadline?: Deadline
}

/** What is to be sealed: the sealed header's bytes and the exact content, in one compartment by name. */
export interface NewEntry {
  readonly header: Uint8Array
  readonly content: Uint8Array
  readonly compartment: string
}

/** Where an entry lies once its block was accepted. */
export interface FiledEntry {
  readonly id: EntryId
  readonly chain: ChainId
  readonly height: number
  /** Place in its block, from 0. */
  readonly index: number
  readonly block: BlockId
  readonly time: Timestamp
}

/** An entry as its reader sees it after everything about it was verified. */
export interface OpenedEntry extends FiledEntry {
  /** Key id of whoever signed the entry's block. */
  readonly author: string
  /** The institution whose key that is; null for a device. */
  readonly institution: InstitutionId | null
  readonly compartment: CompartmentId
  readonly compartmentName: string
  readonly header: Uint8Array
  readonly content: Uint8Array
}

/** Why an entry did not open; none of these words stands for another (docs/PROTOCOL.md, Status). */
export type ClosedStatus = 'not-granted' | 'incomplete' | 'erased' | 'missing' | 'tampered' | 'unopenable'

export interface ClosedEntry extends FiledEntry {
  readonly compartment: CompartmentId
  readonly status: ClosedStatus
  /** The check that failed, as docs/PROTOCOL.md section 8 names them; empty when none did. */
  readonly rule: string
}

/** An erasure that a block completed: what it names is gone for good. */
export interface CompletedErasure {
  readonly id: BlockId
  readonly height: number
  readonly body: EraseBlock['body']
}

/** A reader's whole view of one chain, verified from its genesis. */
export interface RecordView {
  readonly chain: ChainId
  readonly height: number
  readonly head: BlockId
  readonly registry: RegistryHead
  /** In order of height, then of position in the block. */
  readonly opened: readonly OpenedEntry[]
  readonly closed: readonly ClosedEntry[]
  /** Completed erasures, in order. */
  readonly erasures: readonly CompletedErasure[]
}

/**
 * A client of one home for one identity. Keeps what it verified, so that reading again costs only the news.
 * @throws AmpereError from every method: VERIFICATION_FAILED and its kin when the home does not prove what it says
 */
export interface RecordClient {
  /**
   * Appends entries in as many blocks as needed; on success all are durable. Retries are recognised by `op`.
   * @param after height of the head that the entries were judged by: on any other nothing is appended
   * @throws AmpereError HEAD_CONFLICT when `after` is no longer the head; STORE_UNAVAILABLE while another process of this
   * app instance is in the middle of a batch, which `after` shows in part
   */
  append(chain: ChainId, entries: readonly NewEntry[], after?: number): Promise<readonly FiledEntry[]>
  /** Reads the news, verifies and opens them, and gives the whole view. */
  read(chain: ChainId): Promise<RecordView>
  /** The access chain that the record chain names, or null. */
  accessChainOf(chain: ChainId): Promise<ChainId | null>
  /** Creates a record chain with these compartments and its access chain, controlled by this identity's institution. */
  create(compartments: readonly string[]): Promise<{ record: ChainId; access: ChainId }>
  /** Says to the home that this institution's copy of what an erasure names is gone. Repeating it changes nothing. */
  stateErased(chain: ChainId, erasure: CompletedErasure): Promise<void>
  /** Signs this institution's request to join the chain behind a pairing code. */
  requestPairing(code: string): Promise<string>
  /** Who asks to join with which code. @throws AmpereError UNAUTHORIZED */
  openPairing(compact: string): Promise<{ readonly institution: InstitutionId; readonly code: string }>
  /** Lets an institution read and append to everything on a record. Repeating it changes nothing. */
  share(chain: ChainId, institution: InstitutionId): Promise<void>
}
