/** How a node that only the editor knows passes on what is connected to it. */
export type VirtualKind =
  /** Nothing goes through: notes, labels, switches of the editor. */
  | 'aside'
  /** What comes in at a slot goes out at the same. */
  | 'through'
  /** Its value stands in the place of the widgets it is connected to. */
  | 'primitive'
  /** What its namesake takes in. */
  | 'get';

const PASSING: Readonly<Record<string, VirtualKind>> = {
  Note: 'aside',
  MarkdownNote: 'aside',
  PrimitiveNode: 'primitive',
  Reroute: 'through',
  // kijai/ComfyUI-KJNodes web/js/setgetnodes.js, yolain/ComfyUI-Easy-Use web_version getset
  SetNode: 'through',
  GetNode: 'get',
  'easy setNode': 'through',
  'easy getNode': 'get',
  // rgthree/rgthree-comfy src_web/comfyui
  'Reroute (rgthree)': 'through',
  'Bookmark (rgthree)': 'aside',
  'Label (rgthree)': 'aside',
  'Fast Muter (rgthree)': 'aside',
  'Fast Bypasser (rgthree)': 'aside',
  'Fast Groups Muter (rgthree)': 'aside',
  'Fast Groups Bypasser (rgthree)': 'aside',
  'Fast Actions Button (rgthree)': 'aside',
  'Mute / Bypass Relay (rgthree)': 'aside',
  'Mute / Bypass Repeater (rgthree)': 'aside',
  'Node Collector (rgthree)': 'aside',
  'Node Combiner (rgthree)': 'aside',
  'Random Unmuter (rgthree)': 'aside',
};

/** Undefined for what runs on a server. */
export function virtualKindOf(type: string): VirtualKind | undefined {
  return Object.hasOwn(PASSING, type) ? PASSING[type] : undefined;
}

/** The type of the nodes in which a node of kind `get` looks for its namesake. */
export function setterOf(type: string): string {
  return type.startsWith('easy ') ? 'easy setNode' : 'SetNode';
}
