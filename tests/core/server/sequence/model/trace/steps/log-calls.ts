// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { Violation } from '../../sequencer-steps.ts'
import { bundleOf, COLD, type Sequencer } from '../../state.ts'
import { doingOf, type Doing } from './doing.ts'
import type { Moves } from './moves.ts'
import type { Names } from './names.ts'

/** Holds a sequencer's calls about the tree, its bundle, its parts and its positions against the model. */
export class LogCalls {
  readonly #at: Moves
  readonly #names: Names
  readonly #doing: readonly Doing[]
  /** Versions of the committed tree in the order in which they were. */
  readonly #versions: string[]
  readonly #bundles = new Map<string, { readonly name: string; readonly bytes: Uint8Array }>()

  constructor(at: Moves, names: Names, doing: readonly Doing[], version: string) {
    this.#at = at
    this.#names = names
    this.#doing = doing
    this.#versions = [version]
  }

  publishNothing(actor: number): void {
    const { published } = this.#at.state
    this.#at.step(actor, 'publish')
    if (this.#at.state.published !== published) throw new Violation('what is committed was not published')
  }

  readTree(actor: number, result: unknown): void {
    const own = this.#at.own(actor)
    // Whoever finds more published than it knows looks whether that was committed, and goes on.
    const isBehind = this.#at.state.published.length > (own.tree?.leaves.length ?? 0)
    if (isBehind && (own.step === 'publish' || own.step === 'look')) return
    if (own.step === 'publish') this.publishNothing(actor)
    const { step } = this.#at.own(actor)
    if (step === 'clear' || step === 'remove') this.endRun(actor)
    // The bundle was gone: the model reads the tree once for that, a process twice.
    if (step === 'fetch') return this.#at.set(actor, { tree: this.#at.state.tree })
    const version = this.#versions.indexOf((result as { version: string }).version)
    if (version !== this.#at.state.tree.version)
      throw new Violation('another tree is stored than was committed')
    const now = this.#at.own(actor).step
    if (now === 'again' || now === 'lost') this.#at.step(actor)
    else this.#at.step(actor, 'load')
    doingOf(this.#doing, actor).stored.clear()
  }

  /** All that the tree promises is stored by now, by this process, and it looks at what is published. */
  beforePublishing(actor: number): void {
    const own = this.#at.own(actor)
    if (own.step !== 'files') return
    const { paths } = this.#names.staged(this.#bundleOf(own).bytes)
    const missing = paths.find((path) => !doingOf(this.#doing, actor).stored.has(path))
    if (missing !== undefined) throw new Violation(`what is committed is not stored: ${missing}`)
    const { logged } = this.#at.state
    this.#at.step(actor, 'files')
    if (Object.keys(this.#at.state.logged).length !== Object.keys(logged).length)
      throw new Violation('a position of what is committed is not stored')
  }

  commit(actor: number, result: unknown): void {
    this.#at.step(actor, 'commit')
    if ((this.#at.own(actor).step === 'files') !== (result !== null))
      throw new Violation('a tree is committed that the model refuses, or the other way round')
    if (typeof result === 'string') this.#versions.push(result)
    doingOf(this.#doing, actor).stored.clear()
  }

  publish(actor: number, args: readonly unknown[], result: unknown): void {
    if (result === null) return
    if (this.#at.own(actor).step !== 'publish') throw new Violation('a tree is published before its time')
    this.#at.step(actor, 'publish')
    const size = checkpointIn(fromUtf8(args[3] as Uint8Array)).size - this.#names.size
    if (this.#at.state.published.length !== size) throw new Violation('another tree is published')
  }

  stage(actor: number, name: string, bytes: Uint8Array, result: unknown): void {
    const own = this.#at.own(actor)
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
    this.#at.set(actor, { seen, bundle: [called, bundleOf(before.length, leaves)] })
    const known = this.#at.state.staging[called] !== undefined
    this.#bundles.set(name, { name: called, bytes })
    this.#at.step(actor, 'stage')
    if (known !== (result !== 'stored'))
      throw new Violation('a bundle is there that should not be, or is not')
  }

  fetch(actor: number, name: string, result: unknown): void {
    const { step } = this.#at.own(actor)
    if (step !== 'fetch' && step !== 'read back') throw new Violation(`a bundle is read to ${step}`)
    const called = this.#bundles.get(name)?.name ?? ''
    if ((this.#at.state.staging[called] !== undefined) !== (result !== null))
      throw new Violation('a bundle is there that should not be, or is not')
    this.#at.step(actor)
  }

  shred(actor: number, name: string): void {
    const own = this.#at.own(actor)
    const wanted = own.step === 'drop' ? own.bundle?.[0] : own.tree?.discard
    if (own.step !== 'drop' && own.step !== 'shred') throw new Violation(`a bundle is removed to ${own.step}`)
    if (this.#bundles.get(name)?.name !== wanted) throw new Violation('another bundle is removed')
    this.#at.step(actor)
  }

  storeFile(actor: number, path: string): void {
    if (this.#at.own(actor).step !== 'files')
      throw new Violation('a part of the log is stored before it is committed')
    doingOf(this.#doing, actor).stored.add(path)
  }

  storePosition(actor: number, [id, key, value]: readonly unknown[], result: unknown): void {
    const own = this.#at.own(actor)
    const chain = this.#names.chain(id)
    if (chain < 0) return
    if (own.step !== 'files') throw new Violation('a position is stored before its tree is committed')
    const { count, index } = JSON.parse(fromUtf8(value as Uint8Array)) as { count: number; index: number }
    if (result !== 'inserted') return
    const added = Array.from({ length: count }, (_, i) => {
      const leaf = this.#at.state.blocks[chain]?.[this.#names.height(chain, Number(key)) + i] ?? ''
      return [leaf, index + i - this.#names.size] as const
    })
    const { leaves } = own.tree ?? { leaves: [] }
    if (added.some(([leaf, at]) => leaves[at] !== leaf))
      throw new Violation('a position is not that of its leaf')
    const entries = [...Object.entries(this.#at.state.logged), ...added].toSorted(([a], [b]) =>
      a < b ? -1 : 1,
    )
    this.#at.move({ ...this.#at.state, logged: Object.fromEntries(entries) }, 'position stored')
  }

  endRun(actor: number): void {
    const { runs, tree, positions, seen } = this.#at.own(actor)
    const found = doingOf(this.#doing, actor).cleaning.overlooked()
    const heights = new Map([...seen, ...found.filter(([chain]) => seen.every(([of]) => of !== chain))])
    const open = [...heights].filter(([chain, height]) => (positions[chain] ?? -1) < height)
    this.#at.set(actor, { ...COLD, runs, isWarm: true, tree, positions, seen: open })
  }

  #bundleOf({ tree }: Sequencer): { readonly bytes: Uint8Array } {
    const found = [...this.#bundles.values()].find(({ name }) => name === tree?.staging)
    if (!found) throw new Violation('a tree of no bundle')
    return found
  }
}
