import { parse, type DefaultTreeAdapterTypes } from 'parse5';

type Node = DefaultTreeAdapterTypes.Node;

/**
 * Returns the elements of a page with the names of their attributes, in order. They must not depend on any text in the page.
 */
export function skeletonOf(html: string): string {
  return describe(parse(html)).join(' ');
}

function describe(node: Node): string[] {
  const own =
    'tagName' in node ? [`<${[node.tagName, ...node.attrs.map(({ name }) => name)].join(' ')}>`] : [];
  const comment = node.nodeName === '#comment' ? ['<!-->'] : [];
  const children = 'childNodes' in node ? node.childNodes : [];
  return [...own, ...comment, ...children.flatMap(describe)];
}
