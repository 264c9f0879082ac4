// SPDX-License-Identifier: Apache-2.0
import type { LogRule } from '#core/server/audit/log/report.ts'

/** Where all rules are explained. */
export const LOG_MANUAL = 'docs/OPERATIONS.md, "What an audit of the log says"'

const REPAIR = 'stop the server, then npx ampere audit --repair'
const RESTORE_TREE =
  'stop the server, and restore the newer copy of the table checkpoints; do not delete anything'

/** What a finding about the log means, and what to do; docs/OPERATIONS.md says more. */
const ADVICE: Readonly<Record<LogRule, readonly [means: string, act: string]>> = {
  tile: ['proofs through this tile fail', REPAIR],
  bundle: [
    'readers, monitors and mirrors cannot read these log entries',
    `${REPAIR}; what it cannot make from blocks, restore from a copy, a mirror or a monitor`,
  ],
  'leaf-form': [
    'the log signed an entry of another form',
    'update, if a newer version wrote it; else find out who has the log keys',
  ],
  'log-root': [
    'nothing that is stored makes the tree that was signed',
    'restore the object store log from a copy, and audit again',
  ],
  'published-row': ['readers do not see the newest tree', REPAIR],
  'tree-row': ['the sequencer does not know what it signed last', RESTORE_TREE],
  'rolled-back': ['the stores are an older copy: to go on would fork the log', RESTORE_TREE],
  forked: [
    'the log keys signed two histories',
    'keep both checkpoints, they are proof; find out who has the keys: this log has ended',
  ],
  'witnessed-row': [
    'receipts that rest on this checkpoint take a later one',
    `restore the row; the newest is put back by ${REPAIR}`,
  ],
  'witnessed-quorum': [
    'all its cosignatures were removed; receipts that rest on it take a later checkpoint',
    'restore the row; that of the newest size a start of the server puts back',
  ],
  'audited-row': [
    'the row of an earlier audit cannot be relied on; everything was audited instead',
    'nothing, if nothing else is found',
  ],
  'leaf-row': ['receipts fail, and a block could be logged twice', `${REPAIR}, before the server starts`],
  'leaf-twice': ['two rows claim one leaf, and one of them is wrong', REPAIR],
  'leaf-order': ['rows contradict the order of their chain', REPAIR],
  'leaf-unknown': ['a log entry is of no block that is stored', 'blocks were lost: restore the tables'],
  'leaf-hash': ['the stored block is not the one that was logged', 'restore the block'],
  'leaf-label': ['the log entry is labelled for another place', 'restore the block, its state and label key'],
  'logged-block': ['a block was logged and is lost', 'restore the table blocks'],
  overdue: [
    'a block was acknowledged and is not logged',
    'start the server, and see what it says of log-skips or log-failed',
  ],
}

/** One line for each rule that was found, in the order in which they were. */
export function adviceLines(findings: readonly { readonly rule: LogRule }[]): readonly string[] {
  const rules = [...new Set(findings.map(({ rule }) => rule))]
  return rules.map((rule) => {
    const [means, act] = ADVICE[rule]
    return `  ${rule}: ${means}. Do: ${act}.`
  })
}
