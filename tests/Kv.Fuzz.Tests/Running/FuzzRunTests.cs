using Kv.Fuzz.Running;
using Xunit;

namespace Kv.Fuzz.Tests.Running;

/// <summary>That what must be found is found.</summary>
public sealed class FuzzRunTests
{
    private static byte[]? held;

    [Fact]
    public void Exception_EndsTheRun_WithItsInput()
    {
        var verdict = Run(input =>
        {
            if (input.Length > 5)
            {
                throw new InvalidOperationException("too long");
            }
        });
        Assert.Contains("too long", verdict.Failure, StringComparison.Ordinal);
        Assert.True(verdict.Input!.Length > 5);
    }

    [Fact]
    public void Failure_IsToldByItsMessageAlone() => Assert.Equal("it differs", Run(_ => throw new FuzzFailure("it differs")).Failure);

    [Fact]
    public void Allocation_BeyondWhatIsAllowed_IsAFailure() =>
        Assert.Contains("allocate", Run(static input => held = input.Length > 5 ? new byte[10_000_000] : input).Failure, StringComparison.Ordinal);

    [Fact]
    public void Allocation_WithinWhatIsAllowed_IsNone() => Assert.Null(Run(static input => held = new byte[100_000]).Failure);

    [Fact]
    public void SameSeed_MakesTheSameInputs()
    {
        Assert.Equal(Inputs(5), Inputs(5));
        Assert.NotEqual(Inputs(5), Inputs(6));
    }

    [Fact]
    public void Input_IsNoLongerThanTheTargetSays()
    {
        var mutator = new Mutator(new Random(1), ["word"], mostBytes: 64);
        var input = new byte[60];
        for (var round = 0; round < 2000; round++)
        {
            input = mutator.Mutate(input, [1, 2, 3]);
            Assert.InRange(input.Length, 0, 64);
        }
    }

    [Fact]
    public void SavedInput_IsFoundByItsTarget()
    {
        var directory = Directory.CreateTempSubdirectory("kv-fuzz-");
        try
        {
            var path = FailedInputs.Save(Path.Combine(directory.FullName, "new"), "stub", [1, 2, 3]);
            Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
            using var target = new StubTarget(static _ => { });
            Assert.Same(target, FailedInputs.TargetOf(Path.GetFileNameWithoutExtension(path), [target]));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static List<string> Inputs(int seed)
    {
        var inputs = new List<string>();
        Run(input => inputs.Add(Convert.ToHexStringLower(input)), seed);
        return inputs;
    }

    private static FuzzVerdict Run(Action<byte[]> take, int seed = 1)
    {
        using var target = new StubTarget(take);
        using var watch = new HangWatch(static _ => { });
        return new FuzzRun(target, seed, watch).For(TimeSpan.MaxValue, mostInputs: 2000);
    }
}
