using Kv.Fuzz.Running;

namespace Kv.Fuzz.Tests.Running;

/// <summary>Does with an input what a test says.</summary>
internal sealed class StubTarget(Action<byte[]> take) : FuzzTarget
{
    public override string Name => "stub";

    public override IEnumerable<byte[]> Seeds => [[1, 2, 3]];

    public override void Take(byte[] input) => take(input);
}
