// SPDX-License-Identifier: Apache-2.0
import type { EvidenceKind } from '#core/evidence/format.ts'

/** What an attack comes to. */
export interface Attack {
  /** Code, rule, status or kind of finding under which its victim reports it. */
  readonly called: string
  /** The kind of evidence file that convicts the log or home before a third party; or why there can be none. */
  readonly evidence: EvidenceKind | { readonly none: string }
}

const none = (because: string) => ({ none: because })
const NOT_SIGNED = none('the log signed nothing of it: whoever is between can have made it')

/**
 * Attacks by who meets them: what a home that holds the log's keys, or whoever is between, can try. A client reads no
 * tiles, so those are the monitor's; a witness reads no leaves, so order and labels are not for it to see.
 */
export const ATTACKS = {
  client: {
    'is shown an older head than it has seen, as if it were the newest': {
      called: 'rule rolled-back',
      evidence: 'heads',
    },
    'is shown another block at a height that it has seen': { called: 'rule forked', evidence: 'heads' },
    'is given receipts of a log that has a chain out of the order of its heights': {
      called: 'forked leaf-order',
      evidence: 'order',
    },
    'is given such receipts in an export': { called: 'forked leaf-order', evidence: 'order' },
    'is given receipts of two trees that have different leaves at one index': {
      called: 'forked leaf-order',
      evidence: 'checkpoints',
    },
    'is given receipts of two trees of one size with different roots': {
      called: 'forked split-view',
      evidence: 'checkpoints',
    },
    'is given such trees in an export': { called: 'forked split-view', evidence: 'checkpoints' },
    'is given one of such trees in one chain, and the other in another': {
      called: 'forked split-view',
      evidence: 'checkpoints',
    },
    // Trees of two sizes are compared by nobody who has receipts only: nothing in them says what continues what.
    'is given receipts of two trees of different sizes of which neither continues the other': {
      called: '',
      evidence: none('receipts hold no consistency proof; whoever has the leaves of both makes the file'),
    },
    // One reader sees one tree: who compares it with what another was given makes the file.
    'is given a receipt of a tree that no witness saw, while another is given one of its like': {
      called: 'logged, not witnessed',
      evidence: 'checkpoints',
    },
    'is given a receipt under a stale checkpoint, which does not hold the block': {
      called: 'tampered receipt',
      evidence: NOT_SIGNED,
    },
    'is given a receipt under a checkpoint of another origin': {
      called: 'tampered receipt',
      evidence: none('two logs of one key are two logs: they contradict each other in nothing'),
    },
    'is given a receipt of another block, whose label is not its own': {
      called: 'tampered label',
      evidence: none('the receipt is true of another block; that it was given for this one is not signed'),
    },
    'is given a checkpoint signed by another key with the same name and key ID': {
      called: 'tampered receipt',
      evidence: NOT_SIGNED,
    },
    'is given a policy with two keys of one name and key ID': {
      called: 'LOG_MALFORMED',
      evidence: NOT_SIGNED,
    },
    'is given a checkpoint with a bad signature by a known key beside a good one': {
      called: 'tampered receipt',
      evidence: NOT_SIGNED,
    },
    'is shown a record without its end, which monitors have': {
      called: 'withheld',
      evidence: none('an old head statement stays true, and that it was shown today is not signed'),
    },
    'is told by monitors of a tree from before the newest block': {
      called: 'too-few',
      evidence: none('an old tree is no contradiction of a newer one'),
    },
    'is promised that a block is logged, and it is not': {
      called: 'overdue promise',
      evidence: 'promise',
    },
  },
  witness: {
    'is offered a smaller tree than it cosigned': {
      called: '409',
      evidence: none('an old checkpoint, which anybody may have kept, is no contradiction'),
    },
    'is offered another tree of the size that it cosigned': {
      called: '422 same-size',
      evidence: 'checkpoints',
    },
    'is offered a larger tree that does not continue the one it cosigned': {
      called: '422 unproved',
      evidence: none(
        'that a proof does not verify is shown by a proof that anybody can make; a monitor proves it',
      ),
    },
    'is offered a tree of another origin under the key of a known log': {
      called: '404',
      evidence: NOT_SIGNED,
    },
    'is offered a tree signed by another key with the same name and key ID': {
      called: '403',
      evidence: NOT_SIGNED,
    },
    'is offered a tree with a bad signature by a known key beside a good one': {
      called: '403',
      evidence: NOT_SIGNED,
    },
    'cosigned another tree than monitors are shown': { called: 'not cosigned', evidence: 'checkpoints' },
  },
  monitor: {
    'is shown a smaller tree than before, or a stale checkpoint': {
      called: 'rollback',
      evidence: none('an old checkpoint, which any cache may have kept, is no contradiction'),
    },
    'is shown another tree of a size that it has verified': { called: 'same-size', evidence: 'checkpoints' },
    'is shown a larger tree that does not begin with the one it has verified': {
      called: 'fork',
      evidence: 'checkpoints',
    },
    'is shown a label at two indexes': { called: 'duplicate-label', evidence: 'labels' },
    'is shown a leaf that is no log entry': {
      called: 'leaf-form',
      evidence: 'leaf-form',
    },
    'is served a truncated entry bundle': { called: 'UPSTREAM_FAILED', evidence: NOT_SIGNED },
    'is served a truncated tile': { called: 'UPSTREAM_FAILED', evidence: NOT_SIGNED },
    'is served entry bundles in another order': { called: 'root', evidence: NOT_SIGNED },
    'is served a tile with its hashes in another order': { called: 'root', evidence: NOT_SIGNED },
    'is shown a checkpoint of another origin': { called: 'UPSTREAM_FAILED', evidence: NOT_SIGNED },
    'is shown a checkpoint signed by another key with the same name and key ID': {
      called: 'UPSTREAM_FAILED',
      evidence: NOT_SIGNED,
    },
    'is shown a checkpoint with a bad signature by a known key beside a good one': {
      called: 'UPSTREAM_FAILED',
      evidence: NOT_SIGNED,
    },
  },
} as const satisfies Record<string, Record<string, Attack>>

export type Victim = keyof typeof ATTACKS
