using Kv.Cluster.Coordination;
using Kv.Core.Buckets;
using Kv.Core.Objects;

namespace Kv.Cluster.Hooks;

/// <summary>
/// The hooks of one write (riak_kv_put_fsm; reference 2.2, 9.7): asked in order, each shown what the one before made of it, and told when the write is done. Deletes are writes; what ends an object
/// whose time is over is none of a client's.
/// </summary>
internal sealed class HookRun(CoordinatorContext context)
{
    /// <summary>The write as the hooks have it. Null, with the error, where one of them will not have it.</summary>
    public async ValueTask<(KvRequest.Put? Put, KvError? Error)> AskAsync(KvRequest.Put request, BucketProps props, Deadline deadline)
    {
        var put = request;
        if (request.IsExpiry)
        {
            return (put, null);
        }

        foreach (var hook in props.PreCommit)
        {
            var left = deadline.Left(context.Time);
            if (left <= TimeSpan.Zero)
            {
                return (null, new KvError.Timeout(Indeterminate: false));
            }

            var answer = await context.Hooks.AskAsync(hook, put.Key, KvObject.AsSent(put.Content, put.Context), left);
            if (ErrorOf(answer, hook, put) is { } error)
            {
                context.Statistics.PreCommitFailed();
                return (null, error);
            }

            put = answer is PreCommitAnswer.Replaced replaced ? put with { Content = put.Content with { Value = replaced.Content.Value, Metadata = replaced.Content.Metadata } } : put;
            if (PutLimits.Check(put, props, context.Options) is { } tooMuch)
            {
                return (null, tooMuch);
            }
        }

        // A hook whose silence is no refusal may have taken all the time there was: replicas would not be sent what is written here now.
        return !props.PreCommit.IsEmpty && deadline.HasPassed(context.Time) ? (null, new KvError.Timeout(Indeterminate: false)) : (put, null);
    }

    public void Tell(KvRequest.Put request, BucketProps props, KvObject written)
    {
        if (request.IsExpiry)
        {
            return;
        }

        foreach (var hook in props.PostCommit)
        {
            context.Hooks.Tell(hook, request.Key, written);
        }
    }

    private static KvError? ErrorOf(PreCommitAnswer answer, string hook, KvRequest.Put put) => answer switch
    {
        PreCommitAnswer.Accepted => null,
        PreCommitAnswer.Replaced when put.Content.IsTombstone => new KvError.PreCommitFailed($"the hook {hook} answered a delete with a value", IsOfHook: true),
        PreCommitAnswer.Replaced => null,
        PreCommitAnswer.Refused refused => new KvError.PreCommitFailed(refused.Message, IsOfHook: false),
        PreCommitAnswer.Failed failed => new KvError.PreCommitFailed(failed.Reason, IsOfHook: true),
        PreCommitAnswer.Overloaded => new KvError.Overload(Indeterminate: false),
        _ => throw new System.Diagnostics.UnreachableException($"unknown answer {answer}"),
    };
}
