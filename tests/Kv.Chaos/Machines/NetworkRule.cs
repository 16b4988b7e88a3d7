namespace Kv.Chaos.Machines;

/// <summary>One thing that is wrong with the link of one node. Two equal ones hold until both are taken back.</summary>
/// <param name="Slot">The node whose filter it is in.</param>
internal abstract record NetworkRule(int Slot)
{
    /// <summary>What a peer sends does not arrive; what is sent to it does.</summary>
    public sealed record DropFrom(int Slot, int Peer) : NetworkRule(Slot);

    /// <summary>Nothing comes and nothing goes, clients' traffic neither.</summary>
    public sealed record DropAll(int Slot) : NetworkRule(Slot);

    /// <summary>So many packets of a hundred that come in are lost.</summary>
    public sealed record Loss(int Slot, int Percent) : NetworkRule(Slot);

    /// <summary>What goes out is held to a modem's rate, with a queue of most of a second.</summary>
    public sealed record Slow(int Slot) : NetworkRule(Slot);
}
