// SPDX-License-Identifier: Apache-2.0
import { actionsOf } from '../../model.ts'
import { RULES, Violation } from '../../sequencer-steps.ts'
import { COLD, initial } from '../../state.ts'
import { Appends, NO_BOUNDS } from './appends.ts'
import { Cleaning } from './cleaning.ts'
import { doingOf, type Doing } from './doing.ts'
import { LogCalls } from './log-calls.ts'
import { Moves } from './moves.ts'
import { Names, type Beginning } from './names.ts'
import type { Call } from '../observed.ts'

interface Row {
  readonly key: string
  readonly value: Uint8Array
}

/**
 * Holds the calls of a real run against the model, one after the other: each that changes what is stored must be a step
 * that the model allows whoever makes it, with what that process has read so far, and lead to the same state; each that reads must
 * find what the model says is there. Every other call must change nothing that the model has.
 *
 * Where the model is coarser, a step is taken with the last of its calls (tiles), or in parts (positions, one by one); an
 * append may have read its height long before it marks. Actors from 0 on are sequencers, below 0 appends (-1 is the first).
 */
export class Refinement {
  /** The state that was reached, and the steps that were taken. */
  readonly #at: Moves
  readonly #appends: Appends
  readonly #names: Names
  readonly #doing: Doing[]
  readonly #log: LogCalls
  #looking: number | null = null

  constructor(beginning: Beginning, sequencers: number, version: string) {
    const appends = beginning.blocks.map(({ chain }) => chain)
    this.#at = new Moves(initial({ appends, sequencers }))
    this.#names = new Names(beginning)
    this.#appends = new Appends(this.#at, this.#names)
    this.#doing = Array.from({ length: sequencers }, () => ({
      stored: new Set<string>(),
      cleaning: new Cleaning(this.#names),
      young: new Set<number>(),
      look: null,
      shards: new Set<string>(),
    }))
    this.#log = new LogCalls(this.#at, this.#names, this.#doing, version)
  }

  /** Steps of the model that were taken, by their name, with chains left out. */
  get taken(): ReadonlyMap<string, number> {
    return this.#at.taken
  }

  /** Takes the next call. @throws Violation when the model has no such step */
  take(call: Call): void {
    const isLook = call.name === 'dirty.range' && !hasEnd(call)
    if (this.#looking !== null && (call.actor !== this.#looking || !isLook)) this.#endLook(this.#looking)
    if (call.actor < 0) this.#appends.take(-1 - call.actor, call)
    else this.#sequencer(call.actor, call)
  }

  /** A process ended: whatever it knew is gone. */
  crash(actor: number): void {
    if (this.#looking === actor) this.#looking = null
    const doing = doingOf(this.#doing, actor)
    doing.look = null
    doing.stored.clear()
    this.#at.set(actor, { ...COLD })
    this.#at.count('crash')
  }

  /** Time passes: marks with a time before this are old from now on. */
  age(before: string): void {
    this.#appends.oldBefore = before
    this.#at.move(
      { ...this.#at.state, marks: this.#at.state.marks.map((mark) => ({ ...mark, isOld: true })) },
      'aging',
    )
  }

  /** Whoever is shown what is published cosigns it, if it continues what was cosigned before. */
  witness(): void {
    for (const action of ['witness: ask', 'witness: cosign']) {
      const next = actionsOf(this.#at.state, { ...NO_BOUNDS, appends: [] }, RULES).find(
        ({ name }) => name === action,
      )
      if (next) this.#at.move(next.next, action)
    }
  }

  #sequencer(actor: number, call: Call): void {
    const { name, args, result } = call
    const [first] = args
    this.#passOver(actor, call)
    if (name === 'checkpoints.get' && args[1] === 'tree') this.#log.readTree(actor, result)
    else if (name === 'checkpoints.get') this.#log.beforePublishing(actor)
    else if (name === 'checkpoints.swap' && args[1] === 'tree') this.#log.commit(actor, result)
    else if (name === 'checkpoints.swap') this.#log.publish(actor, args, result)
    else if (name === 'staging.store') this.#log.stage(actor, String(first), args[1] as Uint8Array, result)
    else if (name === 'staging.fetch') this.#log.fetch(actor, String(first), result)
    else if (name === 'staging.shred') this.#log.shred(actor, String(first))
    else if (name === 'log.store') this.#log.storeFile(actor, String(first))
    else if (name === 'leaves.insert') this.#log.storePosition(actor, args, result)
    else if (name === 'dirty.range') this.#readMarks(actor, call)
    else if (name === 'dirty.swap') this.#removeMark(actor, args, result)
    else if (name === 'leaves.range' || name === 'blocks.range') this.#readChain(actor, call)
    else if (!name.endsWith('.get') && !name.endsWith('.fetch'))
      throw new Violation(`nobody does this: ${name}`)
  }

  /** Steps that make no call of their own: nothing to publish, nothing to clear. */
  #passOver(actor: number, { name, args }: Call): void {
    const { step } = this.#at.own(actor)
    if (step === 'publish' && name === 'staging.shred') this.#log.publishNothing(actor)
    if (step === 'publish' && name === 'dirty.range') this.#log.publishNothing(actor)
    if (step === 'publish' && name === 'log.fetch') this.#log.publishNothing(actor)
    const isBegin = name === 'checkpoints.get' && args[1] === 'tree'
    if (step === 'collect' && (isBegin || name === 'staging.store' || name === 'dirty.range'))
      this.#giveUp(actor)
    const now = this.#at.own(actor).step
    if (isBegin && (now === 'clear' || now === 'remove')) this.#log.endRun(actor)
  }

  /** A process no longer reads a chain whose marks are all too old to become blocks; it may take one more look. */
  #giveUp(actor: number): void {
    const { seen, reading, pending } = this.#at.own(actor)
    const unread = new Set(reading.filter((chain) => pending[chain] === undefined))
    const { young } = doingOf(this.#doing, actor)
    if ([...unread].some((chain) => young.has(chain)))
      throw new Violation('a chain is not read although it has a young mark')
    const isNews = Object.values(pending).some((blocks) => blocks.length > 0)
    this.#at.set(actor, {
      seen: seen.filter(([chain]) => !unread.has(chain)),
      reading: reading.filter((chain) => !unread.has(chain)),
      step: isNews ? 'stage' : 'clear',
    })
    this.#at.count('given up')
  }

  #readMarks(actor: number, call: Call): void {
    const doing = doingOf(this.#doing, actor)
    const blocks = (call.result as readonly Row[]).map(({ key }) => key)
    if (hasEnd(call)) doing.cleaning.readMarks(this.#at.state, blocks)
    else {
      if (this.#looking === null && this.#at.own(actor).step !== 'look')
        throw new Violation(`marks are read while it should ${this.#at.own(actor).step}`)
      if (doing.look === null) doing.shards.clear()
      this.#looking = actor
      doing.look ??= new Set()
      doing.shards.add(String(call.args[0]))
      for (const key of blocks) doing.look.add(key.split('/')[2] ?? '')
    }
  }

  /** All marks that are young must have been read in the shards that were looked at; old ones may be. */
  #endLook(actor: number): void {
    this.#looking = null
    const doing = doingOf(this.#doing, actor)
    const read = new Set([...(doing.look ?? [])].map((id) => this.#names.block(this.#names.append(id)).name))
    doing.look = null
    const { state } = this.#at
    const young = state.marks.filter(
      ({ chain, isOld }) => !isOld && doing.shards.has(this.#names.shard(chain)),
    )
    const missed = young.find(({ block }) => !read.has(block))
    if (missed) throw new Violation('a mark is overlooked')
    doing.young = new Set(young.map(({ chain }) => chain))
    this.#at.state = {
      ...state,
      marks: state.marks.map((mark) => ({ ...mark, isOld: !read.has(mark.block) })),
    }
    this.#at.step(actor, 'look')
    this.#at.state = { ...this.#at.state, marks: state.marks }
  }

  #removeMark(actor: number, args: readonly unknown[], result: unknown): void {
    if (args[3] !== null) throw new Violation('a mark is changed')
    if (result === null) return
    const append = this.#names.append(String(args[1]).split('/')[2] ?? '')
    const { name } = this.#names.block(append)
    doingOf(this.#doing, actor).cleaning.mayRemove(name)
    const at = this.#at.state.marks.findIndex(({ block, isOld }) => block === name && isOld)
    if (at < 0) throw new Violation('a mark is removed that is not old')
    this.#at.move({ ...this.#at.state, marks: this.#at.state.marks.toSpliced(at, 1) }, 'mark removed')
  }

  #readChain(actor: number, call: Call): void {
    const chain = this.#names.chain(call.args[0])
    if (chain < 0) return
    const own = this.#at.own(actor)
    if (own.step !== 'collect') return doingOf(this.#doing, actor).cleaning.read(this.#at.state, chain, call)
    const isPosition = call.name === 'leaves.range'
    if (isPosition !== (own.positions[chain] === undefined))
      throw new Violation('a chain is read before its position')
    const { reading } = own
    this.#at.set(actor, { reading: [chain, ...reading.filter((each) => each !== chain)] })
    this.#at.step(actor, `${isPosition ? 'position' : 'read'} ${chain}`)
  }
}

function hasEnd({ args }: Call): boolean {
  return (args[1] as { readonly to?: string } | undefined)?.to !== undefined
}
