// SPDX-License-Identifier: Apache-2.0
import type { LogRule } from '#core/server/audit/log/report.ts'

/** Where all rules are explained. */
export const LOG_MANUAL = 'docs/OPERATIONS.md, "What an audit of the log says"'

const REPAIR = 'stop the server, then npx ampere audit --repair'
/** No command puts back a part of the stores. */
const RESTORE_HOME = 'restore the home from a mirror (docs/OPERATIONS.md, "When stores are damaged")'
const RESTORE_TREE = `stop the server, delete nothing, start no older copy; ${RESTORE_HOME}`

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
    act: RESTORE_HOME,
    mayRepair: true,
  },
  'leaf-form': {
    means: 'the log signed an entry of another form',
    act: 'update, if a newer version wrote it; else find out who has the log keys',
  },
  'log-root': {
    means: 'nothing that is stored makes the tree that was signed',
    act: RESTORE_HOME,
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
    act: `nothing has to be done; to have it back, ${RESTORE_HOME}`,
    mayRepair: true,
  },
  'witnessed-quorum': {
    means: 'all its cosignatures were removed; receipts that rest on it take a later checkpoint',
    act: `start the server, which puts back that of the newest size; to have others back, ${RESTORE_HOME}`,
  },
  'audited-row': {
    means: 'the row of an earlier audit cannot be relied on; everything was audited instead',
    act: 'nothing, if nothing else is found',
  },
  'leaf-row': {
    means: 'receipts fail, and a block could be logged twice',
    act: `${RESTORE_HOME}, before the server starts`,
    mayRepair: true,
  },
  'leaf-twice': {
    means: 'two rows claim one leaf, and one of them is wrong',
    act: RESTORE_HOME,
    mayRepair: true,
  },
  'leaf-order': { means: 'rows contradict the order of their chain', act: RESTORE_HOME, mayRepair: true },
  'leaf-unknown': {
    means: 'a log entry is of no block that is stored',
    act: `blocks were lost: ${RESTORE_HOME}`,
  },
  'leaf-hash': { means: 'the stored block is not the one that was logged', act: RESTORE_HOME },
  'leaf-label': {
    means: 'the log entry is labelled for another place',
    act: RESTORE_HOME,
  },
  'logged-block': { means: 'a block was logged and is lost', act: RESTORE_HOME },
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
