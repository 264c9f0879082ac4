// SPDX-License-Identifier: Apache-2.0

const MANUAL = 'docs/OPERATIONS.md, "When stores are damaged"'
/** What an older copy of a home would do: sign its log anew from an older tree. */
const NO_OLDER_COPY = 'never start a copy that the home went on after: it forks the log'

/** What to do where the home of a data folder is gone. */
export const HOME_LOST = `npx ampere mirror restore MIRROR; ${NO_OLDER_COPY} (${MANUAL})`

/** What to do about a database of a home that cannot be read any more. */
export const HOME_DAMAGED = `stop the server, move home/ampere.db* and home/objects away (keep home/keys.json), then npx ampere mirror restore MIRROR; ${NO_OLDER_COPY} (${MANUAL})`

/** What to do about a database of a bridge: it is built anew from records, but for what only it has. */
export const BRIDGE_DAMAGED = `stop the server, and put this one folder back from its backup; without one move it away: links of patients and readings that waited are lost (${MANUAL})`

/** What to do about files that no home goes on with: keys and settings. */
export const FILE_LOST = `put it back from its own backup, and nothing else of home/: ${NO_OLDER_COPY} (docs/OPERATIONS.md, "Back up")`
