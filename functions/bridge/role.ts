// SPDX-License-Identifier: Apache-2.0

/** An institution's EHR bridge: its own patient index, and the keys of one app instance. */
export const role = {
  name: 'bridge',
  needs: {
    tables: { bridge: 'write' },
    objects: {},
    keys: { bridge: 'sign', sealing: 'unwrap' },
  },
} as const
