// SPDX-License-Identifier: Apache-2.0

/** What a home says of itself to anybody: it reads the registry, how that is followed, and the published log, and nothing else. */
export const role = {
  name: 'discovery',
  needs: {
    tables: { registry: 'read', following: 'read', checkpoints: 'read' },
    objects: { log: 'fetch' },
    keys: {},
  },
} as const
