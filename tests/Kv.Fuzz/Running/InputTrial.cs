using System.Globalization;

namespace Kv.Fuzz.Running;

/// <summary>One input at one target: what it did that it must not, if anything.</summary>
internal sealed class InputTrial(FuzzTarget target)
{
    /// <summary>Null where all is well. What is loaded and compiled on the way is no input's: one that seems to take too much is tried again.</summary>
    public string? Try(byte[] input)
    {
        var failure = Once(input, out var isTooMuch);
        return isTooMuch ? Once(input, out _) : failure;
    }

    private string? Once(byte[] input, out bool isTooMuch)
    {
        isTooMuch = false;
        var before = Allocated();
        try
        {
            target.Take(input);
        }
        catch (Exception failure)
        {
            return failure is FuzzFailure ? failure.Message : failure.ToString();
        }

        var (took, allowed) = (Allocated() - before, target.FixedBytes + (input.Length * target.BytesPerByte));
        isTooMuch = took > allowed;
        return !isTooMuch ? null : string.Create(CultureInfo.InvariantCulture, $"{input.Length} bytes made it allocate {took}, and {allowed} are allowed");
    }

    private long Allocated() => target.HasThreads ? GC.GetTotalAllocatedBytes() : GC.GetAllocatedBytesForCurrentThread();
}
