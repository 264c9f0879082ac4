// SPDX-License-Identifier: Apache-2.0
import type { FlagSpec } from '../program/command.ts'

const OF_A_CLOUD =
  'of a home that was deployed from this data folder, such as aws-prod, instead of the one in it'

/** Of commands that work with a home: what they do holds at once. */
export const HOME_FLAG: FlagSpec = { flags: '--cloud <deployment>', about: OF_A_CLOUD }

/** Of commands that say whom a home trusts. */
export const CLOUD_FLAG: FlagSpec = {
  flags: '--cloud <deployment>',
  about: `${OF_A_CLOUD}; it holds once that is deployed again`,
}

/** Of commands that work with a bridge: what they do holds at once. */
export const BRIDGE_FLAG: FlagSpec = {
  flags: '--cloud <deployment>',
  about:
    'of a bridge that was deployed from this data folder, such as aws-prod, instead of the one on this computer',
}
