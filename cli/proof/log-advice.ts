// SPDX-License-Identifier: Apache-2.0
import type { LogRule } from '#core/server/audit/log/report.ts'

/** Where all rules are explained. */
export const LOG_MANUAL = 'docs/OPERATIONS.md, "What an audit of the log says"'

const REPAIR = 'stop the server, then npx ampere audit --repair'
const RESTORE_TREE =
  'stop the server, and restore the newer copy of the table checkpoints; do not delete anything'
const RESTORE_ROWS = 'restore the table leaves from a copy'

/** What a finding means, and what to do about one that a repair does not put right. */
interface Advice {
  readonly means: string
  readonly act: string
  /** A repair may put it right. */
  readonly mayRepair?: true
}

/** docs/OPERATIONS.md says more of each. */
const ADVICE: Readonly<Record<LogRule, Advice>> = {
  tile: { means: 'proofs through this tile fail', act: 'repair the bundles below it first', mayRepair: true },
  bundle: {
    means: 'readers, monitors and mirrors cannot read these log entries',
    act: 'restore from a copy, a mirror or a monitor what cannot be made from blocks',
    mayRepair: true,
  },
  'leaf-form': {
    means: 'the log signed an entry of another form',
    act: 'update, if a newer version wrote it; else find out who has the log keys',
  },
  'log-root': {
    means: 'nothing that is stored makes the tree that was signed',
    act: 'restore the object store log from a copy, and audit again',
  },
  'published-row': {
    means: 'readers do not see the newest tree',
    act: 'put right what else is found, then audit again',
    mayRepair: true,
  },
  'tree-row': { means: 'the sequencer does not know what it signed last', act: RESTORE_TREE },
  'tree-seal': {
    means: 'where the sequencer looks first was changed; it forgets that, and looks from the first leaf',
    act: 'find out who can write the stores; what is logged next is sealed anew',
  },
  'rolled-back': { means: 'the stores are an older copy: to go on would fork the log', act: RESTORE_TREE },
  forked: {
    means: 'the log keys signed two histories',
    act: 'keep both checkpoints, they are proof; find out who has the keys: this log has ended',
  },
  'witnessed-row': {
    means: 'receipts that rest on this checkpoint take a later one',
    act: 'restore the row',
    mayRepair: true,
  },
  'witnessed-quorum': {
    means: 'all its cosignatures were removed; receipts that rest on it take a later checkpoint',
    act: 'restore the row; that of the newest size a start of the server puts back',
  },
  'audited-row': {
    means: 'the row of an earlier audit cannot be relied on; everything was audited instead',
    act: 'nothing, if nothing else is found',
  },
  'leaf-row': {
    means: 'receipts fail, and a block could be logged twice',
    act: `${RESTORE_ROWS}, before the server starts`,
    mayRepair: true,
  },
  'leaf-twice': {
    means: 'two rows claim one leaf, and one of them is wrong',
    act: RESTORE_ROWS,
    mayRepair: true,
  },
  'leaf-order': { means: 'rows contradict the order of their chain', act: RESTORE_ROWS, mayRepair: true },
  'leaf-unknown': {
    means: 'a log entry is of no block that is stored',
    act: 'blocks were lost: restore the tables',
  },
  'leaf-hash': { means: 'the stored block is not the one that was logged', act: 'restore the block' },
  'leaf-label': {
    means: 'the log entry is labelled for another place',
    act: 'restore the block, its state and label key',
  },
  'logged-block': { means: 'a block was logged and is lost', act: 'restore the table blocks' },
  overdue: {
    means: 'a block was acknowledged and is not logged',
    act: 'start the server, and see what it says of log-skips or log-failed',
  },
}

/**
 * One line for each rule that was found, in the order in which they were. A repair is advised where it puts something right
 * (`mendable`), or, where that is not known, may.
 */
export function adviceLines(
  findings: readonly { readonly rule: LogRule }[],
  mendable: ReadonlySet<LogRule> | null,
): readonly string[] {
  const rules = [...new Set(findings.map(({ rule }) => rule))]
  return rules.map((rule) => {
    const { means, act, mayRepair = false } = ADVICE[rule]
    const does =
      mendable === null
        ? mayRepair
          ? `${REPAIR}; what is left then: ${act}`
          : act
        : mendable.has(rule)
          ? REPAIR
          : act
    return `  ${rule}: ${means}. Do: ${does}.`
  })
}
