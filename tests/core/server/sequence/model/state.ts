// SPDX-License-Identifier: Apache-2.0

/** Where an append stands: `marked` before its block is. */
export interface Append {
  readonly chain: number
  /** -1 before it began. */
  readonly height: number
  readonly at: 'idle' | 'marked' | 'stored' | 'refused'
}

/** A mark as the table has it; `isOld` when readers have given it up. */
export interface Mark {
  readonly chain: number
  readonly height: number
  readonly block: string
  readonly isOld: boolean
}

/** The committed tree: its leaves stand for its root. */
export interface Tree {
  readonly version: number
  readonly leaves: readonly string[]
  readonly staging: string | null
  readonly discard: string | null
}

/** What a sequencer does next. */
export type Step =
  | 'load'
  | 'fetch'
  | 'again'
  | 'files'
  | 'rest'
  | 'shred'
  | 'publish'
  | 'look'
  | 'collect'
  | 'stage'
  | 'read back'
  | 'commit'
  | 'lost'
  | 'drop'
  | 'clear'
  | 'remove'

/** A sequencer: what its process has in memory. All of it is gone when it ends. */
export interface Sequencer {
  readonly step: Step
  readonly runs: number
  readonly isWarm: boolean
  readonly tree: Tree | null
  /** Chains with a mark, in the order in which they were seen, and its height. */
  readonly seen: readonly (readonly [chain: number, height: number])[]
  /** Chains that this run reads: marked, and not known to be logged so far. */
  readonly reading: readonly number[]
  /** Height of each chain's newest logged block, as far as it is known. */
  readonly positions: Readonly<Record<number, number>>
  /** Blocks to log by chain; a chain is in it once it was read. */
  readonly pending: Readonly<Record<number, readonly string[]>>
  /** Name and content of the bundle that it stages or applies. */
  readonly bundle: readonly [name: string, content: string] | null
  /** The chain whose old marks are looked at next. */
  readonly cleared: number
  readonly removing: readonly Mark[]
}

/** All of a home's log at one moment. Every value is plain, so that equal states have equal JSON. */
export interface State {
  readonly appends: readonly Append[]
  readonly marks: readonly Mark[]
  /** Ids by chain and height. */
  readonly blocks: readonly (readonly string[])[]
  readonly tree: Tree
  /** Staging bundles by name: `<size below>:<leaves>`. */
  readonly staging: Readonly<Record<string, string>>
  /** Trees whose tiles and bundles are all stored, as their leaves. */
  readonly files: readonly string[]
  /** Index by block id. */
  readonly logged: Readonly<Record<string, number>>
  readonly published: readonly string[]
  readonly witness: { readonly leaves: readonly string[]; readonly asked: readonly string[] | null }
  readonly sequencers: readonly Sequencer[]
  readonly crashes: number
  readonly agings: number
}

/** How far the model is explored. */
export interface Bounds {
  /** The chain of each append. */
  readonly appends: readonly number[]
  readonly sequencers: number
  /** Runs that each sequencer begins. */
  readonly runs: number
  readonly crashes: number
  /** How often all marks that there are become old. */
  readonly agings: number
}

/** A sequencer that knows nothing. */
export const COLD: Sequencer = {
  step: 'load',
  runs: 0,
  isWarm: false,
  tree: null,
  seen: [],
  reading: [],
  positions: {},
  pending: {},
  bundle: null,
  cleared: 0,
  removing: [],
}

/** A home with chains, none of which has a block, and the tree of no leaves. */
export function initial({ appends, sequencers }: Pick<Bounds, 'appends' | 'sequencers'>): State {
  const chains = Math.max(...appends) + 1
  return {
    appends: appends.map((chain) => ({ chain, height: -1, at: 'idle' })),
    marks: [],
    blocks: Array.from({ length: chains }, () => []),
    tree: { version: 0, leaves: [], staging: null, discard: null },
    staging: {},
    files: [''],
    logged: {},
    published: [],
    witness: { leaves: [], asked: null },
    sequencers: Array.from({ length: sequencers }, () => COLD),
    crashes: 0,
    agings: 0,
  }
}

/** Name of a block: no two appends make the same one. */
export function blockId(chain: number, height: number, append: number): string {
  return `${chain}-${height}-${append}`
}

/** Chain and height of a block by its name. */
export function placeOf(block: string): readonly [chain: number, height: number] {
  const [chain, height] = block.split('-').map(Number)
  return [chain ?? -1, height ?? -1]
}

/** Height of the newest block of a chain that has a position, -1 when none has. */
export function loggedHeight(logged: State['logged'], chain: number): number {
  const heights = Object.keys(logged)
    .map(placeOf)
    .flatMap(([of, height]) => (of === chain ? [height] : []))
  return Math.max(-1, ...heights)
}

/** True when the second list begins with the first. */
export function isPrefix(before: readonly string[], after: readonly string[]): boolean {
  return before.length <= after.length && before.every((leaf, i) => leaf === after[i])
}

/** Content of the bundle that takes a tree of `size` leaves to `leaves`. */
export function bundleOf(size: number, leaves: readonly string[]): string {
  return `${size}:${leaves.join()}`
}

/** What a bundle says. */
export function readBundle(content: string): { readonly size: number; readonly leaves: readonly string[] } {
  const [size = '', leaves = ''] = content.split(':')
  return { size: Number(size), leaves: leaves.split(',') }
}
