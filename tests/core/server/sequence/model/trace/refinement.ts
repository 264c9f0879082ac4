// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { actionsOf, wrongWith } from '../model.ts'
import { RULES, stepsOf, Violation, type Taken } from '../sequencer-steps.ts'
import { blockId, bundleOf, COLD, initial, type Sequencer, type State } from '../state.ts'
import { Cleaning } from './cleaning.ts'
import { Names, type Beginning } from './names.ts'
import type { Call } from './observed.ts'

/** What a checked trace came to. */
export interface Checked {
  readonly state: State
  /** Steps of the model that were taken, by their name, with chains and appends left out. */
  readonly taken: ReadonlyMap<string, number>
}

interface Row {
  readonly key: string
  readonly value: Uint8Array
}

/** What a process is seen to do beside its steps in the model. */
interface Doing {
  /** Paths of tiles and bundles that it stored since its tree was committed. */
  readonly stored: Set<string>
  readonly cleaning: Cleaning
  /** Blocks of the marks that it reads, while it reads them: all shards at once. */
  look: Set<string> | null
}

const NO_BOUNDS = { sequencers: 0, runs: Number.POSITIVE_INFINITY, crashes: 0, agings: 0 } as const

/**
 * Holds the calls of a real run against the model, one after the other: each that changes what is stored must be a step
 * that the model allows whoever makes it, with what that process has read so far, and lead to the same state; each that reads must
 * find what the model says is there. Every other call must change nothing that the model has.
 *
 * Where the model is coarser, a step is taken with the last of its calls (tiles), or in parts (positions, one by one); an
 * append may have read its height long before it marks. Actors from 0 on are sequencers, below 0 appends (-1 is the first).
 */
export class Refinement {
  state: State
  readonly taken = new Map<string, number>()
  readonly #names: Names
  readonly #doing: Doing[]
  /** Versions of the committed tree in the order in which they were. */
  readonly #versions: string[]
  readonly #bundles = new Map<string, { readonly name: string; readonly bytes: Uint8Array }>()
  #looking: number | null = null
  #oldBefore = ''

  constructor(beginning: Beginning, sequencers: number, version: string) {
    const appends = beginning.blocks.map(({ chain }) => chain)
    this.state = initial({ appends, sequencers })
    this.#names = new Names(beginning)
    this.#doing = Array.from({ length: sequencers }, () => ({
      stored: new Set<string>(),
      cleaning: new Cleaning(this.#names),
      look: null,
    }))
    this.#versions = [version]
  }

  /** Takes the next call. @throws Violation when the model has no such step */
  take(call: Call): void {
    const isLook = call.name === 'dirty.range' && !hasEnd(call)
    if (this.#looking !== null && (call.actor !== this.#looking || !isLook)) this.#endLook(this.#looking)
    if (call.actor < 0) this.#append(-1 - call.actor, call)
    else this.#sequencer(call.actor, call)
  }

  /** A process ended: whatever it knew is gone. */
  crash(actor: number): void {
    if (this.#looking === actor) this.#looking = null
    const doing = this.#doingOf(actor)
    doing.look = null
    doing.stored.clear()
    this.#set(actor, { ...COLD })
    this.#count('crash')
  }

  /** Time passes: marks with a time before this are old from now on. */
  age(before: string): void {
    this.#oldBefore = before
    this.#move({ ...this.state, marks: this.state.marks.map((mark) => ({ ...mark, isOld: true })) }, 'aging')
  }

  /** Whoever is shown what is published cosigns it, if it continues what was cosigned before. */
  witness(): void {
    for (const action of ['witness: ask', 'witness: cosign']) {
      const next = actionsOf(this.state, { ...NO_BOUNDS, appends: [] }, RULES).find(
        ({ name }) => name === action,
      )
      if (next) this.#move(next.next, action)
    }
  }

  #append(i: number, { name, args, result }: Call): void {
    const { chain, height, id } = this.#names.block(i)
    const own = this.state.appends[i]
    if (!own) throw new Violation('no such append')
    const block = blockId(chain, height, i)
    if (name === 'dirty.insert') {
      if (!String(args[1]).endsWith(`/${id}`)) throw new Violation('a mark of another block')
      const mark = { chain, height, block, isOld: String(args[1]) < this.#oldBefore }
      const appends =
        own.at === 'idle' ? this.state.appends.with(i, { chain, height, at: 'marked' }) : this.state.appends
      // What is marked again at the same moment is one row.
      const marks = result === 'inserted' ? [...this.state.marks, mark] : this.state.marks
      this.#move({ ...this.state, appends, marks }, 'append: mark')
    } else if (name === 'blocks.insert') {
      const action = actionsOf(this.state, { ...NO_BOUNDS, appends: [] }, RULES).find(
        (each) => each.name === `append ${i}: store`,
      )
      if (!action) throw new Violation('a block is stored before its mark')
      if ((action.next.appends[i]?.at === 'stored') !== (result === 'inserted'))
        throw new Violation('a block is stored at a height that the model refuses')
      this.#move(action.next, 'append: store')
    }
  }

  #sequencer(actor: number, call: Call): void {
    const { name, args, result } = call
    const [first] = args
    this.#passOver(actor, call)
    if (name === 'checkpoints.get' && args[1] === 'tree') this.#readTree(actor, result)
    else if (name === 'checkpoints.get') this.#beforePublishing(actor)
    else if (name === 'checkpoints.swap' && args[1] === 'tree') this.#commit(actor, result)
    else if (name === 'checkpoints.swap') this.#publish(actor, args, result)
    else if (name === 'staging.store') this.#stage(actor, String(first), args[1] as Uint8Array, result)
    else if (name === 'staging.fetch') this.#fetch(actor, String(first), result)
    else if (name === 'staging.shred') this.#shred(actor, String(first))
    else if (name === 'log.store') this.#storeFile(actor, String(first))
    else if (name === 'leaves.insert') this.#storePosition(actor, args, result)
    else if (name === 'dirty.range') this.#readMarks(actor, call)
    else if (name === 'dirty.swap') this.#removeMark(actor, args, result)
    else if (name === 'leaves.range' || name === 'blocks.range') this.#readChain(actor, call)
    else if (!name.endsWith('.get') && !name.endsWith('.fetch'))
      throw new Violation(`nobody does this: ${name}`)
  }

  /** Steps that make no call of their own: nothing to publish, nothing to clear. */
  #passOver(actor: number, { name, args }: Call): void {
    const { step } = this.#own(actor)
    if (step === 'publish' && name === 'staging.shred') this.#publishNothing(actor)
    if (step === 'publish' && name === 'dirty.range') this.#publishNothing(actor)
    if (step === 'publish' && name === 'log.fetch') this.#publishNothing(actor)
    const isBegin = name === 'checkpoints.get' && args[1] === 'tree'
    if (step === 'collect' && (isBegin || name === 'staging.store' || name === 'dirty.range'))
      this.#giveUp(actor)
    const now = this.#own(actor).step
    if (isBegin && (now === 'clear' || now === 'remove')) this.#endRun(actor)
  }

  /** A process no longer reads a chain whose marks are all too old to become blocks; it may take one more look. */
  #giveUp(actor: number): void {
    const { seen, reading, pending } = this.#own(actor)
    const unread = new Set(reading.filter((chain) => pending[chain] === undefined))
    const young = this.state.marks.find(({ chain, isOld }) => unread.has(chain) && !isOld)
    if (young) throw new Violation('a chain is not read although it has a young mark')
    const isNews = Object.values(pending).some((blocks) => blocks.length > 0)
    this.#set(actor, {
      seen: seen.filter(([chain]) => !unread.has(chain)),
      reading: reading.filter((chain) => !unread.has(chain)),
      step: isNews ? 'stage' : 'clear',
    })
    this.#count('given up')
  }

  #publishNothing(actor: number): void {
    const { published } = this.state
    this.#step(actor, 'publish')
    if (this.state.published !== published) throw new Violation('what is committed was not published')
  }

  #readTree(actor: number, result: unknown): void {
    const own = this.#own(actor)
    // Whoever finds more published than it knows looks whether that was committed, and goes on.
    const isBehind = this.state.published.length > (own.tree?.leaves.length ?? 0)
    if (isBehind && (own.step === 'publish' || own.step === 'look')) return
    if (own.step === 'publish') this.#publishNothing(actor)
    const { step } = this.#own(actor)
    if (step === 'clear' || step === 'remove') this.#endRun(actor)
    // The bundle was gone: the model reads the tree once for that, a process twice.
    if (step === 'fetch') return this.#set(actor, { tree: this.state.tree })
    const version = this.#versions.indexOf((result as { version: string }).version)
    if (version !== this.state.tree.version) throw new Violation('another tree is stored than was committed')
    const now = this.#own(actor).step
    if (now === 'again' || now === 'lost') this.#step(actor)
    else this.#step(actor, 'load')
    this.#doingOf(actor).stored.clear()
  }

  /** All that the tree promises is stored by now, by this process, and it looks at what is published. */
  #beforePublishing(actor: number): void {
    const own = this.#own(actor)
    if (own.step !== 'files') return
    const { paths } = this.#names.staged(this.#bundleOf(own).bytes)
    const missing = paths.find((path) => !this.#doingOf(actor).stored.has(path))
    if (missing !== undefined) throw new Violation(`what is committed is not stored: ${missing}`)
    const { logged } = this.state
    this.#step(actor, 'files')
    if (Object.keys(this.state.logged).length !== Object.keys(logged).length)
      throw new Violation('a position of what is committed is not stored')
  }

  #commit(actor: number, result: unknown): void {
    this.#step(actor, 'commit')
    if ((this.#own(actor).step === 'files') !== (result !== null))
      throw new Violation('a tree is committed that the model refuses, or the other way round')
    if (typeof result === 'string') this.#versions.push(result)
    this.#doingOf(actor).stored.clear()
  }

  #publish(actor: number, args: readonly unknown[], result: unknown): void {
    if (result === null) return
    if (this.#own(actor).step !== 'publish') throw new Violation('a tree is published before its time')
    this.#step(actor, 'publish')
    const size = checkpointIn(fromUtf8(args[3] as Uint8Array)).size - this.#names.size
    if (this.state.published.length !== size) throw new Violation('another tree is published')
  }

  #stage(actor: number, name: string, bytes: Uint8Array, result: unknown): void {
    const own = this.#own(actor)
    if (own.step !== 'stage') throw new Violation(`staged while it should ${own.step}`)
    const { leaves } = this.#names.staged(bytes)
    // The order of chains is free: theirs is by the time of the oldest mark, which the model does not have.
    const seen = own.seen.toSorted(
      ([a], [b]) => leaves.indexOf(own.pending[a]?.[0] ?? '') - leaves.indexOf(own.pending[b]?.[0] ?? ''),
    )
    const before = own.tree?.leaves ?? []
    const expected = [...before, ...seen.flatMap(([chain]) => own.pending[chain] ?? [])]
    if (expected.join() !== leaves.join()) throw new Violation('other leaves are staged than were read')
    const called = `${before.length}-${leaves.length}-${leaves.join()}`
    this.#set(actor, { seen, bundle: [called, bundleOf(before.length, leaves)] })
    const known = this.state.staging[called] !== undefined
    this.#bundles.set(name, { name: called, bytes })
    this.#step(actor, 'stage')
    if (known !== (result !== 'stored'))
      throw new Violation('a bundle is there that should not be, or is not')
  }

  #fetch(actor: number, name: string, result: unknown): void {
    const { step } = this.#own(actor)
    if (step !== 'fetch' && step !== 'read back') throw new Violation(`a bundle is read to ${step}`)
    const called = this.#bundles.get(name)?.name ?? ''
    if ((this.state.staging[called] !== undefined) !== (result !== null))
      throw new Violation('a bundle is there that should not be, or is not')
    this.#step(actor)
  }

  #shred(actor: number, name: string): void {
    const own = this.#own(actor)
    const wanted = own.step === 'drop' ? own.bundle?.[0] : own.tree?.discard
    if (own.step !== 'drop' && own.step !== 'shred') throw new Violation(`a bundle is removed to ${own.step}`)
    if (this.#bundles.get(name)?.name !== wanted) throw new Violation('another bundle is removed')
    this.#step(actor)
  }

  #storeFile(actor: number, path: string): void {
    if (this.#own(actor).step !== 'files')
      throw new Violation('a part of the log is stored before it is committed')
    this.#doingOf(actor).stored.add(path)
  }

  #storePosition(actor: number, [id, key, value]: readonly unknown[], result: unknown): void {
    const own = this.#own(actor)
    const chain = this.#names.chain(id)
    if (chain < 0) return
    if (own.step !== 'files') throw new Violation('a position is stored before its tree is committed')
    const { count, index } = JSON.parse(fromUtf8(value as Uint8Array)) as { count: number; index: number }
    if (result !== 'inserted') return
    const added = Array.from({ length: count }, (_, i) => {
      const leaf = this.state.blocks[chain]?.[this.#names.height(chain, Number(key)) + i] ?? ''
      return [leaf, index + i - this.#names.size] as const
    })
    const { leaves } = own.tree ?? { leaves: [] }
    if (added.some(([leaf, at]) => leaves[at] !== leaf))
      throw new Violation('a position is not that of its leaf')
    const entries = [...Object.entries(this.state.logged), ...added].toSorted(([a], [b]) => (a < b ? -1 : 1))
    this.#move({ ...this.state, logged: Object.fromEntries(entries) }, 'position stored')
  }

  #readMarks(actor: number, call: Call): void {
    const doing = this.#doingOf(actor)
    const blocks = (call.result as readonly Row[]).map(({ key }) => key)
    if (hasEnd(call)) doing.cleaning.readMarks(this.state, blocks)
    else {
      if (this.#looking === null && this.#own(actor).step !== 'look')
        throw new Violation(`marks are read while it should ${this.#own(actor).step}`)
      this.#looking = actor
      doing.look ??= new Set()
      for (const key of blocks) doing.look.add(key.split('/')[2] ?? '')
    }
  }

  /** All marks that are young must have been read; old ones may be. */
  #endLook(actor: number): void {
    this.#looking = null
    const doing = this.#doingOf(actor)
    const read = new Set([...(doing.look ?? [])].map((id) => this.#names.block(this.#names.append(id)).name))
    doing.look = null
    const { state } = this
    const missed = state.marks.find(({ block, isOld }) => !isOld && !read.has(block))
    if (missed) throw new Violation('a mark is overlooked')
    this.state = { ...state, marks: state.marks.map((mark) => ({ ...mark, isOld: !read.has(mark.block) })) }
    this.#step(actor, 'look')
    this.state = { ...this.state, marks: state.marks }
  }

  #removeMark(actor: number, args: readonly unknown[], result: unknown): void {
    if (args[3] !== null) throw new Violation('a mark is changed')
    if (result === null) return
    const append = this.#names.append(String(args[1]).split('/')[2] ?? '')
    const { name } = this.#names.block(append)
    this.#doingOf(actor).cleaning.mayRemove(name)
    const at = this.state.marks.findIndex(({ block, isOld }) => block === name && isOld)
    if (at < 0) throw new Violation('a mark is removed that is not old')
    this.#move({ ...this.state, marks: this.state.marks.toSpliced(at, 1) }, 'mark removed')
  }

  #readChain(actor: number, call: Call): void {
    const chain = this.#names.chain(call.args[0])
    if (chain < 0) return
    const own = this.#own(actor)
    if (own.step !== 'collect') return this.#doingOf(actor).cleaning.read(this.state, chain, call)
    const isPosition = call.name === 'leaves.range'
    if (isPosition !== (own.positions[chain] === undefined))
      throw new Violation('a chain is read before its position')
    const { reading } = own
    this.#set(actor, { reading: [chain, ...reading.filter((each) => each !== chain)] })
    this.#step(actor, `${isPosition ? 'position' : 'read'} ${chain}`)
  }

  /** The only step that the model has for a process now, or the one of that name. */
  #step(actor: number, name?: string): void {
    const own = this.#own(actor)
    const steps = stepsOf(this.state, own, RULES, Number.POSITIVE_INFINITY)
    const found: Taken | undefined = name === undefined ? steps[0] : steps.find((each) => each.name === name)
    if (!found) throw new Violation(`${name ?? 'a step'} while it should ${own.step}`)
    const sequencers = this.state.sequencers.with(actor, { ...own, ...found.own })
    this.#move({ ...this.state, ...found.home, sequencers }, found.name)
  }

  #move(next: State, name: string): void {
    const wrong = wrongWith(this.state, next)
    if (wrong !== null) throw new Violation(wrong)
    this.state = next
    this.#count(name)
  }

  #count(name: string): void {
    const kind = name.replace(/ \d+$/, '')
    this.taken.set(kind, (this.taken.get(kind) ?? 0) + 1)
  }

  #endRun(actor: number): void {
    const { runs, tree, positions, seen } = this.#own(actor)
    const found = this.#doingOf(actor).cleaning.overlooked()
    const heights = new Map([...seen, ...found.filter(([chain]) => seen.every(([of]) => of !== chain))])
    const open = [...heights].filter(([chain, height]) => (positions[chain] ?? -1) < height)
    this.#set(actor, { ...COLD, runs, isWarm: true, tree, positions, seen: open })
  }

  #own(actor: number): Sequencer {
    const own = this.state.sequencers[actor]
    if (!own) throw new Violation('no such sequencer')
    return own
  }

  #set(actor: number, changed: Partial<Sequencer>): void {
    this.state = {
      ...this.state,
      sequencers: this.state.sequencers.with(actor, { ...this.#own(actor), ...changed }),
    }
  }

  #doingOf(actor: number): Doing {
    const doing = this.#doing[actor]
    if (!doing) throw new Violation('no such sequencer')
    return doing
  }

  #bundleOf({ tree }: Sequencer): { readonly bytes: Uint8Array } {
    const found = [...this.#bundles.values()].find(({ name }) => name === tree?.staging)
    if (!found) throw new Violation('a tree of no bundle')
    return found
  }
}

function hasEnd({ args }: Call): boolean {
  return (args[1] as { readonly to?: string } | undefined)?.to !== undefined
}
