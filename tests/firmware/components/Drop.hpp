/* microflo_component yaml
name: Drop
description: "Swallow what comes in"
inports:
  in:
    type: all
    description: ""
outports: {}
microflo_component */
class Drop : public Component {
public:
    Drop() : Component(0, 0) {}
    virtual void process(Packet in, MicroFlo::PortId port) {}
};
