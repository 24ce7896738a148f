import { describe, expect, it } from 'vitest';
import { parseAddress, readMoment, readQueueSearch, readWords } from '../src/shell/address';

describe('what an address asks for', () => {
  it.each([
    ['?q=1042', '1042'], ['?q=null', 'null'], ['?q=true', 'true'], ['?q=refund%20ada', 'refund ada'], ['?q=%221042%22', '1042'],
    ['?q=12345678901234567890', '12345678901234567890'], ['?q=007', '007'], ['?q=1.50', '1.50'],
    ['?q=[1]', undefined], ['?q={"a":1}', undefined], ['?q=', undefined], ['', undefined],
  ])('%s searches for %j', (address, q) => expect(readWords(parseAddress(address)).q).toBe(q));

  it.each([
    ['?at=1793000000000', 1793000000000], ['?at=zzz', undefined], ['?at=null', undefined], ['?at=-5', undefined], ['?at=1.5', undefined],
    ['?at=9007199254740991', undefined], ['?at=[1793000000000]', undefined],
  ])('%s opens at %j', (address, at) => expect(readMoment(parseAddress(address)).at).toBe(at));

  it.each([
    ['?scope=mine&status=closed&inbox=shop', { scope: 'mine', status: 'closed', inbox: 'shop' }], ['?inbox=42', { inbox: '42' }],
    ['?scope=1&status=toString&inbox=[1]', {}], ['?status=null', {}],
  ])('%s shows the queue %j', (address, queue) => expect(readQueueSearch(parseAddress(address))).toEqual(queue));
});
