/* microflo_component yaml
name: Output
description: "Where packets leave the graph"
inports:
  in:
    type: all
    description: ""
outports: {}
microflo_component */
class Output : public Component {
public:
    Output() : Component(0, 0) {}
    virtual void process(Packet in, MicroFlo::PortId port) {}
};
