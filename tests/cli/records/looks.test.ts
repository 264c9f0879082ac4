// SPDX-License-Identifier: Apache-2.0
import { leavesEveryByte } from './looks.ts'
import { toldDemo } from './told-demo.ts'

leavesEveryByte(toldDemo(12))
